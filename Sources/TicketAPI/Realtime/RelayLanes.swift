/// Which tickets' events are to be published next, and when: the decisions of the outbox relay.
///
/// A ticket is a lane: its events go out one call after another. Lanes go side by side, so one that fails holds up
/// itself only. While the broker as a whole is away, one lane at a time tries.
///
/// A termination goes before all lanes and waits for none: not for a place among the calls, not for a pause. While there
/// is one, no lane begins a call.
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

    private enum Termination {
        case none
        /// `until`: after a failure.
        case waiting(until: Instant?)
        /// On its way. `hasMore`: others came in meanwhile.
        case flying(hasMore: Bool)
    }

    private var termination = Termination.none
    private var lanes: [Int64: Lane] = [:]
    private var ready: [Int64] = []
    private var resting: Set<Int64> = []
    /// How often in a row the events of a lane failed. Such a lane travels alone.
    private var failures: [Int64: Int] = [:]
    private var calls = 0
    private var pausedUntil: Instant?
    /// How many calls for events failed since the last that did not.
    private(set) var failuresInARow = 0
    /// The same of calls for terminations.
    private(set) var failedTerminationsInARow = 0

    /// Nothing is on its way and nothing waits for its turn, or waiting is of no use now.
    var isIdle: Bool {
        switch self.termination {
        case .none: self.calls == 0 && (self.ready.isEmpty || self.pausedUntil != nil)
        case .waiting(let until): self.calls == 0 && until != nil
        case .flying: false
        }
    }

    /// There are terminations to be carried out.
    mutating func foundTermination() {
        switch self.termination {
        case .none: self.termination = .waiting(until: nil)
        case .flying: self.termination = .flying(hasMore: true)
        case .waiting: break
        }
    }

    /// Whether to make the call for terminations now. Another is made when it has come back.
    mutating func nextTermination(now: Instant) -> Bool {
        guard case .waiting(let until) = self.termination, until ?? now <= now else { return false }
        self.termination = .flying(hasMore: false)
        return true
    }

    /// The call for terminations came back.
    mutating func finished(_ call: TerminationCall, now: Instant, chance: Double) {
        if call.failure != nil {
            self.failedTerminationsInARow += 1
            let delay = Self.delay(self.failedTerminationsInARow, max: Self.maxPause, chance: chance)
            self.termination = .waiting(until: now + delay)
            return
        }
        self.failedTerminationsInARow = 0
        let hasMore = if case .flying(hasMore: true) = self.termination { true } else { call.hasMore }
        self.termination = hasMore ? .waiting(until: nil) : .none
    }

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
        guard case .none = self.termination else { return nil }
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
        if call.sawTermination { self.foundTermination() }
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
        switch self.termination {
        case .none: break
        case .waiting(let until): return until
        case .flying: return nil
        }
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
    /// Events were left alone because they came behind a termination.
    var sawTermination = false
    /// Rows that the broker has accepted, or refused for good.
    var accepted: [OutboxRow] = []
}

/// What came of a call for terminations.
struct TerminationCall: Sendable, Equatable {
    /// Why the first that was not carried out was not.
    var failure: String?
    /// There are, or may be, others.
    var hasMore = false
    /// The server has no way to end some of what it was asked to; that is given up.
    var isBeyondServer = false
}
