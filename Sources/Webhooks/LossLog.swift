/// Counts what goes on and on, for a line now and then.
struct LossLog {
    private let interval: Duration
    private var count = 0
    private var lastLine: ContinuousClock.Instant?

    init(interval: Duration) {
        self.interval = interval
    }

    /// Adds to the count; returns it, and starts anew, when it is time for a line.
    mutating func add(_ count: Int, now: ContinuousClock.Instant) -> Int? {
        self.count += count
        guard self.count > 0, self.lastLine.map({ now - $0 >= self.interval }) ?? true else { return nil }
        self.lastLine = now
        defer { self.count = 0 }
        return self.count
    }
}
