internal import PusherProtocol

/// What one endpoint is still to be told, and when: its decisions.
///
/// One request at a time, in order. A request that fails is tried again until its time is over; what came after it
/// waits, so that each channel's order is kept. What waits is bounded: the oldest give way.
///
/// Pure: time and chance are arguments. Guarded by its `EndpointWorker`.
struct EndpointQueue {
    typealias Instant = ContinuousClock.Instant

    /// An event as it stands in a body.
    struct Event: Sendable, Equatable {
        let json: [UInt8]
        /// When it came, on the queue's clock and in milliseconds since 1970.
        let arrival: Instant
        let time: Int64
    }

    /// A request that was made, with what became of it so far.
    struct Attempted: Sendable, Equatable {
        let request: WebhookRequest
        fileprivate let deadline: Instant
        /// When the first of its events came.
        fileprivate let arrival: Instant
        fileprivate(set) var attempts = 0
        fileprivate(set) var failure = ""
    }

    enum NextAction: Equatable {
        /// Send it and report by `attemptFinished`.
        case send(WebhookRequest)
        /// Ask again after a report or an event, and at that time.
        case wait(until: Instant?)
        /// Nothing more will be sent: take the rest with `close`.
        case finish
    }

    enum FinishedAction: Equatable {
        case delivered(isRecovery: Bool)
        case retry(isFirstFailure: Bool)
        case giveUp(Attempted, isFirstFailure: Bool)
    }

    private enum Current {
        case none
        case flying(Attempted)
        case resting(Attempted, until: Instant)
    }

    private enum Phase: Equatable {
        case open
        /// At shutdown: no pauses, one more try each, and an end.
        case draining(until: Instant)
        case over
    }

    private let configuration: WebhookConfiguration
    private var credentials: AppCredentials
    private var batches: Bool
    private var waiting = Backlog<Event>()
    private var bytes = 0
    private var current = Current.none
    private var phase = Phase.open
    /// The last attempt failed.
    private var isFailing = false

    init(credentials: AppCredentials, batches: Bool, configuration: WebhookConfiguration) {
        self.credentials = credentials
        self.batches = batches
        self.configuration = configuration
    }

    /// Nothing more will be sent, and nothing is taken.
    var isOver: Bool { self.phase == .over }

    /// Events that were not accepted yet, those of the request that is being tried included, and when the first of them came.
    var pending: (events: Int, since: Instant?) {
        switch self.current {
        case .none: return (self.waiting.count, self.waiting.first?.arrival)
        case .flying(let attempted), .resting(let attempted, _):
            return (self.waiting.count + attempted.request.eventCount, attempted.arrival)
        }
    }

    /// Requests that are made from now on follow these.
    mutating func reconfigure(credentials: AppCredentials, batches: Bool) {
        self.credentials = credentials
        self.batches = batches
    }

    /// Adds events at the end; returns the oldest ones that had to give way. A tenth of the room is made at once, so
    /// that they go in bundles. When the queue is over, all of them are returned.
    mutating func append(_ events: [Event]) -> [Event] {
        guard !self.isOver else { return events }
        for event in events {
            self.waiting.append(event)
            self.bytes += event.json.count
        }
        let (maxEvents, maxBytes) = (self.configuration.maxEvents, self.configuration.maxBytes)
        guard self.waiting.count > maxEvents || self.bytes > maxBytes else { return [] }
        var shed: [Event] = []
        while self.waiting.count > maxEvents - maxEvents / 10 || self.bytes > maxBytes - maxBytes / 10,
            let event = self.popFirst()
        {
            shed.append(event)
        }
        return shed
    }

    /// What to do now. `time`: milliseconds since 1970, for a request that is made.
    mutating func next(now: Instant, time: Int64) -> NextAction {
        var end: Instant?
        switch self.phase {
        case .open: break
        case .draining(let until):
            guard now < until else { return .finish }
            end = until
        case .over: return .finish
        }
        switch self.current {
        case .flying: return .wait(until: end)
        case .resting(let attempted, let until):
            if now < until { return .wait(until: end.map { min($0, until) } ?? until) }
            self.current = .flying(attempted)
            return .send(attempted.request)
        case .none: break
        }
        guard let first = self.waiting.first else { return end == nil ? .wait(until: nil) : .finish }
        if self.batches, end == nil, self.waiting.count < self.configuration.batchSize {
            let due = first.arrival + self.configuration.batchDelay
            if now < due { return .wait(until: due) }
        }
        let attempted = Attempted(
            request: self.makeRequest(time: time), deadline: now + self.configuration.retryTime,
            arrival: first.arrival)
        self.current = .flying(attempted)
        return .send(attempted.request)
    }

    /// The request that `next` gave out came to an end; `failure` says how, or is nil when it was accepted. `chance` in
    /// 0…1 shortens the pause by up to a fifth.
    mutating func attemptFinished(failure: String?, now: Instant, chance: Double) -> FinishedAction {
        guard case .flying(var attempted) = self.current else {
            preconditionFailure("an attempt is reported once, and before the next")
        }
        let wasFailing = self.isFailing
        self.isFailing = failure != nil
        attempted.attempts += 1
        guard let failure else {
            self.current = .none
            return .delivered(isRecovery: wasFailing)
        }
        attempted.failure = failure
        let doubled = self.configuration.firstPause * (1 << min(attempted.attempts - 1, 20))
        let due = now + min(doubled, self.configuration.longestPause) * (1 - 0.2 * chance)
        if self.phase == .open, due >= attempted.deadline {
            self.current = .none
            return .giveUp(attempted, isFirstFailure: !wasFailing)
        }
        self.current = .resting(attempted, until: due)
        // There is no time for pauses any more: `close` hands it out.
        if case .draining = self.phase { self.phase = .over }
        return .retry(isFirstFailure: !wasFailing)
    }

    /// No more pauses: each request gets one more try, and all of them time until `end`.
    mutating func drain(now: Instant, until end: Instant) {
        self.phase = .draining(until: end)
        if case .resting(let attempted, _) = self.current { self.current = .resting(attempted, until: now) }
    }

    /// Nothing more is sent.
    mutating func stop() { self.phase = .over }

    /// Empties the queue: the request that was not accepted, and what waited behind it. No attempt may be running.
    mutating func close() -> (attempted: Attempted?, waiting: [Event]) {
        self.phase = .over
        var rest: [Event] = []
        while let event = self.popFirst() { rest.append(event) }
        defer { self.current = .none }
        switch self.current {
        case .none: return (nil, rest)
        case .flying(let attempted), .resting(let attempted, _): return (attempted, rest)
        }
    }

    private mutating func makeRequest(time: Int64) -> WebhookRequest {
        var events: [[UInt8]] = []
        while events.count < (self.batches ? self.configuration.batchSize : 1), let event = self.popFirst() {
            events.append(event.json)
        }
        return WebhookRequest(events: events, credentials: self.credentials, created: time)
    }

    private mutating func popFirst() -> Event? {
        guard let event = self.waiting.popFirst() else { return nil }
        self.bytes -= event.json.count
        return event
    }
}
