/// Which tickets' events are to be published next, and when: the decisions of the outbox relay.
///
/// A ticket is a lane: its events go out one call after another. Lanes go side by side, so one that fails holds up
/// itself only. While the broker as a whole is away, one lane at a time tries.
///
/// Pure: time and chance come in as arguments. Owned by the relay's loop.
struct RelayLanes {
    typealias Instant = ContinuousClock.Instant

    /// Calls at the same time: enough to use a broker that is far away, few enough not to be a burden.
    static let maxCalls = 4
    /// Lanes in one call of the relay. A call carries at most ten events, and a lane has at least one.
    static let maxLanesPerCall = 10

    static let firstDelay = Duration.milliseconds(100)
    static let maxPause = Duration.seconds(2)
    static let maxLaneDelay = Duration.seconds(30)

    private enum Lane {
        case ready
        /// On its way. `hasMore`: events came in meanwhile.
        case flying(hasMore: Bool)
        case resting(until: Instant)
    }

    private var lanes: [Int64: Lane] = [:]
    private var ready: [Int64] = []
    private var resting: Set<Int64> = []
    /// How often in a row the events of a lane failed. Such a lane travels alone.
    private var failures: [Int64: Int] = [:]
    private var calls = 0
    private var pausedUntil: Instant?
    /// How many calls failed since the last that did not.
    private(set) var failuresInARow = 0

    /// Nothing is on its way and nothing waits for its turn, or waiting is of no use now.
    var isIdle: Bool { self.calls == 0 && (self.ready.isEmpty || self.pausedUntil != nil) }

    /// The ticket has events in the outbox.
    mutating func found(_ ticketID: Int64) {
        switch self.lanes[ticketID] {
        case nil:
            self.lanes[ticketID] = .ready
            self.ready.append(ticketID)
        case .flying: self.lanes[ticketID] = .flying(hasMore: true)
        case .ready, .resting: break
        }
    }

    /// The tickets for the next call, or nil when there is none to make now.
    mutating func next(now: Instant) -> [Int64]? {
        if let pausedUntil, now < pausedUntil { return nil }
        self.pausedUntil = nil
        self.wake(now)
        guard self.calls < (self.failuresInARow == 0 ? Self.maxCalls : 1), let first = self.ready.first else {
            return nil
        }
        let chosen: [Int64]
        if self.failures[first] != nil {
            chosen = [first]
        } else {
            chosen = Array(self.ready.prefix(Self.maxLanesPerCall).prefix(while: { self.failures[$0] == nil }))
        }
        self.ready.removeFirst(chosen.count)
        for ticketID in chosen { self.lanes[ticketID] = .flying(hasMore: false) }
        self.calls += 1
        return chosen
    }

    /// A call came back. `chance` in 0…1 spreads the waits after failures.
    mutating func finished(_ call: RelayCall, now: Instant, chance: Double) {
        self.calls -= 1
        for ticketID in call.tickets {
            if case .failed = call.outcome, call.failedTickets.contains(ticketID) {
                self.rest(ticketID, now: now, chance: chance)
                continue
            }
            if !call.outcome.isFailure { self.failures[ticketID] = nil }
            var hasMore = call.unfinishedTickets.contains(ticketID)
            if case .flying(hasMore: true) = self.lanes.removeValue(forKey: ticketID) { hasMore = true }
            if hasMore { self.found(ticketID) }
        }
        switch call.outcome {
        case .nothingDue: break
        case .published:
            self.failuresInARow = 0
            self.pausedUntil = nil
        case .failed, .unavailable:
            self.failuresInARow += 1
            self.pausedUntil = now + Self.delay(self.failuresInARow, max: Self.maxPause, chance: chance)
        }
    }

    /// When to ask `next` again although nothing was found or finished.
    var nextWake: Instant? {
        if let pausedUntil { return pausedUntil }
        return self.resting.compactMap { ticketID -> Instant? in
            if case .resting(let until) = self.lanes[ticketID] { until } else { nil }
        }.min()
    }

    private mutating func rest(_ ticketID: Int64, now: Instant, chance: Double) {
        let failures = self.failures[ticketID, default: 0] + 1
        self.failures[ticketID] = failures
        self.lanes[ticketID] = .resting(until: now + Self.delay(failures, max: Self.maxLaneDelay, chance: chance))
        self.resting.insert(ticketID)
    }

    private mutating func wake(_ now: Instant) {
        for ticketID in self.resting {
            guard case .resting(let until) = self.lanes[ticketID], until <= now else { continue }
            self.resting.remove(ticketID)
            self.lanes[ticketID] = .ready
            self.ready.append(ticketID)
        }
    }

    /// Doubles with each failure up to `max`; between half of that and the whole, by chance.
    private static func delay(_ failures: Int, max: Duration, chance: Double) -> Duration {
        let doubled = self.firstDelay * (1 << min(failures - 1, 10))
        return min(doubled, max) * (0.5 + 0.5 * chance)
    }
}

/// What came of one call of the relay.
struct RelayCall: Sendable {
    enum Outcome: Sendable, Equatable {
        case published
        /// The lanes had no events any more: an earlier call took them along. That tells nothing about the broker.
        case nothingDue
        /// The broker failed on the events of `failedTickets`.
        case failed(String)
        /// The broker, or the store, does nothing now.
        case unavailable(String)

        var isFailure: Bool {
            switch self {
            case .published, .nothingDue: false
            case .failed, .unavailable: true
            }
        }
    }

    /// All lanes of the call.
    let tickets: [Int64]
    var outcome = Outcome.published
    /// Lanes that have, or may have, events left.
    var unfinishedTickets: Set<Int64> = []
    var failedTickets: Set<Int64> = []
    /// Rows that the broker has accepted but that could not be deleted. They are not published again.
    var undeleted: [Int64] = []
    var deleted: [Int64] = []
}
