internal import PusherProtocol

/// Holds back the news that somebody has gone, so that a page reload makes no noise (9.3 of the protocol facts).
///
/// channel_vacated and member_removed wait. If the channel is occupied or the member added again meanwhile, neither the
/// old news nor the new is told. Everything else passes at once. What waited is told in the order in which it happened.
///
/// Pure: time is an argument. One for each app; owned by the dispatcher's loop.
struct EventTimeline {
    typealias Instant = ContinuousClock.Instant

    private enum Absence: Hashable {
        case channel(ChannelName)
        case member(ChannelName, String)
    }

    private struct Held {
        let event: WebhookEvent
        let absence: Absence
        let number: UInt64
        let due: Instant
    }

    private let delay: Duration
    private let capacity: Int
    /// In the order of their times. One that was cancelled stays until its turn, or until those are the greater part.
    private var held = Backlog<Held>()
    /// The number of what waits of each absence; another number was cancelled.
    private var numbers: [Absence: UInt64] = [:]
    private var lastNumber: UInt64 = 0

    /// - Parameter capacity: how many may wait; beyond, the oldest are told before their time.
    init(delay: Duration, capacity: Int) {
        self.delay = delay
        self.capacity = capacity
    }

    /// How many are in memory, those that were cancelled and not taken out yet included.
    var count: Int { self.held.count }

    /// When to call `release` although nothing has happened.
    var nextDue: Instant? { self.held.first?.due }

    /// Takes an event and adds what is to be told now to `told`. Call with times that do not go back.
    mutating func happened(_ event: WebhookEvent, now: Instant, told: inout [WebhookEvent]) {
        self.release(now: now, told: &told)
        switch event {
        case .channelVacated(let channel): self.hold(event, .channel(channel), now: now, told: &told)
        case .memberRemoved(let channel, let userID):
            self.hold(event, .member(channel, userID), now: now, told: &told)
        case .channelOccupied(let channel): self.end(.channel(channel), with: event, told: &told)
        case .memberAdded(let channel, let userID): self.end(.member(channel, userID), with: event, told: &told)
        case .clientEvent, .cacheMiss, .subscriptionCount: told.append(event)
        }
    }

    /// Adds to `told` what has waited its time.
    mutating func release(now: Instant, told: inout [WebhookEvent]) {
        while let first = self.held.first, first.due <= now { self.releaseFirst(&told) }
    }

    /// Adds to `told` all that waits: there is no time left for anybody to return.
    mutating func releaseAll(told: inout [WebhookEvent]) {
        while self.held.first != nil { self.releaseFirst(&told) }
    }

    private mutating func hold(_ event: WebhookEvent, _ absence: Absence, now: Instant, told: inout [WebhookEvent]) {
        // Gone twice without a return between: told once.
        guard self.numbers[absence] == nil else { return }
        self.lastNumber += 1
        self.numbers[absence] = self.lastNumber
        self.held.append(Held(event: event, absence: absence, number: self.lastNumber, due: now + self.delay))
        while self.numbers.count > self.capacity { self.releaseFirst(&told) }
    }

    private mutating func end(_ absence: Absence, with event: WebhookEvent, told: inout [WebhookEvent]) {
        guard self.numbers.removeValue(forKey: absence) != nil else {
            told.append(event)
            return
        }
        if self.held.count > 64, self.held.count > 2 * self.numbers.count {
            let numbers = self.numbers
            self.held.filter { numbers[$0.absence] == $0.number }
        }
    }

    private mutating func releaseFirst(_ told: inout [WebhookEvent]) {
        guard let first = self.held.popFirst(), self.numbers[first.absence] == first.number else { return }
        self.numbers[first.absence] = nil
        told.append(first.event)
    }
}
