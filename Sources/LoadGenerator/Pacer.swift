package import Histogram
internal import NIOCore

/// Decides when the next event is published, and follows each until it is answered and has arrived everywhere. Confined
/// to the first loop.
final class Pacer {
    /// One event that is under way.
    private struct UnderWay {
        var publisher = 0
        var channel = 0
        var sent: UInt64 = 0
        var due: UInt64 = 0
        var expected = 0
        /// Loops that have not had all of their deliveries, and whether the publish has not been answered.
        var loops = 0
        var isUnanswered = true
    }

    /// How long an event may take before it counts as lost, in nanoseconds.
    private static let patience: UInt64 = 5_000_000_000
    /// How many events may be under way in an open loop before sending waits. A delay counts: times are from `due`.
    private static let maxUnderWay = 10_000

    private let plan: LoadPlan
    private let eventLoop: any EventLoop
    private let publishers: [any Publisher]
    /// How many connections of each loop should receive an event of a publisher to a channel.
    private let expected: (_ channel: Int, _ publisher: Int) -> [Int]
    private var free: [Int]
    private var turns: [Int]
    private var sequences: [UInt32]
    private var underWay: [UInt32: UnderWay] = [:]
    private var nextEvent: UInt32 = 0
    private var began: UInt64 = 0
    private var measured: Range<UInt64> = 0..<0
    private var timer: Scheduled<Void>?
    private var isTimerSet = false
    private var isPumping = false
    private(set) var isStopped = false
    private(set) var counts = PublishCounts()

    init(
        plan: LoadPlan, eventLoop: any EventLoop, publishers: [any Publisher],
        expected: @escaping (_ channel: Int, _ publisher: Int) -> [Int]
    ) {
        self.plan = plan
        self.eventLoop = eventLoop
        self.publishers = publishers
        self.expected = expected
        self.free = Array(publishers.indices.reversed())
        self.turns = Array(repeating: 0, count: publishers.count)
        self.sequences = Array(repeating: 0, count: publishers.count * plan.channels)
    }

    private var now: UInt64 { NIODeadline.now().uptimeNanoseconds &- self.began }

    /// How many events have not come to their end.
    var underWayCount: Int { self.underWay.count }

    func start(began: UInt64, measured: Range<UInt64>) {
        self.began = began
        self.measured = measured
        self.pump()
    }

    /// Sends no more. What is measured ends here, when that is earlier than was said.
    func stop(at end: UInt64) {
        self.isStopped = true
        self.timer?.cancel()
        if case .open(let rate) = self.plan.pace {
            // What should have been sent and was not.
            let due = Int(min(end, self.measured.upperBound) * UInt64(rate) / 1_000_000_000)
            self.counts.unsent = max(0, due - self.counts.sent)
        }
        self.measured = self.measured.clamped(to: 0..<max(end, self.measured.lowerBound))
    }

    // MARK: Sending

    /// Sends what is to be sent by now.
    private func pump() {
        guard !self.isPumping, !self.isStopped else { return }
        self.isPumping = true
        defer { self.isPumping = false }
        while let due = self.nextDue, let publisher = self.free.popLast() {
            self.send(as: publisher, due: due)
        }
    }

    /// When the next event is due, if it is: nil when it must wait.
    private var nextDue: UInt64? {
        let now = self.now
        switch self.plan.pace {
        case .closed(let inFlight): return self.underWay.count < inFlight ? now : nil
        case .open(let rate):
            guard self.underWay.count < Self.maxUnderWay else { return nil }
            let due = UInt64(self.nextEvent) * 1_000_000_000 / UInt64(rate)
            guard due > now else { return due }
            self.wake(at: due)
            return nil
        }
    }

    private func wake(at due: UInt64) {
        guard !self.isTimerSet else { return }
        self.isTimerSet = true
        let bound = NIOLoopBound(self, eventLoop: self.eventLoop)
        self.timer = self.eventLoop.scheduleTask(deadline: .uptimeNanoseconds(self.began + due)) {
            bound.value.isTimerSet = false
            bound.value.pump()
        }
    }

    private func send(as index: Int, due: UInt64) {
        let publisher = self.publishers[index]
        var events: [OutgoingEvent] = []
        for _ in 0..<self.plan.batch {
            let channel = publisher.channels[self.turns[index] % publisher.channels.count]
            self.turns[index] += 1
            let stream = index * self.plan.channels + channel
            self.sequences[stream] += 1
            let marker = Marker(
                event: self.nextEvent, publisher: UInt16(index), sequence: self.sequences[stream], due: due)
            self.nextEvent += 1
            let loops = self.expected(channel, index)
            self.underWay[marker.event] = UnderWay(
                publisher: index, channel: channel, sent: self.now, due: due, expected: loops.reduce(0, +),
                loops: loops.count { $0 > 0 })
            events.append(OutgoingEvent(marker: marker, channel: channel))
        }
        self.counts.sent += events.count
        let numbers = events.map(\.marker.event)
        publisher.publish(events) { [unowned self] outcome in
            self.answered(numbers, outcome, due: due)
            self.free.append(index)
            self.pump()
        }
    }

    // MARK: What becomes of it

    private func answered(_ events: [UInt32], _ outcome: PublishOutcome, due: UInt64) {
        let now = self.now
        switch outcome {
        case .accepted:
            self.counts.accepted += events.count
            if self.measured.contains(now) { self.counts.measured += events.count }
            if self.measured.contains(due) { _ = self.counts.latency.record(now > due ? now - due : 0) }
            for event in events {
                self.counts.expected += self.underWay[event]?.expected ?? 0
                self.underWay[event]?.isUnanswered = false
                self.finishIfDone(event)
            }
        case .refused(let words):
            self.counts.failures[words, default: 0] += events.count
            for event in events { self.underWay[event] = nil }
        }
    }

    /// An event has reached all of one loop that it should.
    func loopCompleted(_ event: UInt32) {
        guard let publisher = self.underWay[event]?.publisher else { return }
        self.underWay[event]?.loops -= 1
        if self.underWay[event]?.loops == 0 { self.publishers[publisher].completed(event) }
        self.finishIfDone(event)
        self.pump()
    }

    private func finishIfDone(_ event: UInt32) {
        guard let state = self.underWay[event], state.loops <= 0, !state.isUnanswered else { return }
        self.underWay[event] = nil
    }

    /// Gives up events that have taken too long; called now and then.
    func sweep() {
        let now = self.now
        for (event, state) in self.underWay where now > state.sent + Self.patience {
            if state.isUnanswered { self.publishers[state.publisher].giveUp() }
            if self.underWay[event]?.isUnanswered == false { self.underWay[event] = nil }
        }
        self.pump()
    }
}

/// What has been published.
package struct PublishCounts: Sendable {
    /// Events that were sent; that the server took; that it took within the time that is measured.
    package var sent = 0
    package var accepted = 0
    package var measured = 0
    /// Deliveries that those accepted should have come to.
    package var expected = 0
    /// Events that an open loop should have sent by its end and could not.
    package var unsent = 0
    /// Events that the server did not take, by its reason.
    package var failures: [String: Int] = [:]
    /// From when an event was to be sent to its answer, in nanoseconds.
    package var latency = latencyHistogram()
}
