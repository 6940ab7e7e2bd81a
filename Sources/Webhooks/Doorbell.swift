/// Wakes a loop: rings while it works, however many, wake it once more.
struct Doorbell: Sendable {
    /// For one loop to wait on.
    let rings: AsyncStream<Void>
    private let ringer: AsyncStream<Void>.Continuation

    init() {
        (self.rings, self.ringer) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    /// From any thread; never waits.
    func ring() { self.ringer.yield() }
}

/// Rings at a time. Owned by a loop.
struct Alarm {
    private let doorbell: Doorbell
    /// The time of the last one that was set. One that lies in the past has rung.
    private var time = ContinuousClock.now

    init(_ doorbell: Doorbell) {
        self.doorbell = doorbell
    }

    /// Sees to it that the bell rings at `time` or earlier.
    mutating func set(_ time: ContinuousClock.Instant, in group: inout DiscardingTaskGroup) {
        guard self.time <= .now || time < self.time else { return }
        self.time = time
        group.addTask { [doorbell] in
            // Cancelled at the end of the loop: then nobody listens.
            try? await Task.sleep(until: time, clock: .continuous)
            doorbell.ring()
        }
    }
}
