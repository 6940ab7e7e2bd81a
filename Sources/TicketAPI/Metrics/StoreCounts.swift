internal import Synchronization
internal import Telemetry

/// What the database's writer has done since the start. Any thread may call it.
final class StoreCounts: Sendable {
    struct Totals {
        /// From the call to the end of the commit, waiting included.
        var latency = Histogram(
            microseconds: [
                250, 500, 1000, 2500, 5000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000, 5_000_000,
            ])
        /// Transactions that were lost.
        var failures = 0
    }

    private let state = Mutex(Totals())

    var totals: Totals { self.state.withLock { $0 } }

    /// A transaction with writes that were asked for at these times is on the disk.
    func committed(writesSince starts: [ContinuousClock.Instant]) {
        let now = ContinuousClock.now
        self.state.withLock { state in
            for start in starts {
                let (seconds, attoseconds) = (now - start).components
                let nanoseconds = seconds * 1_000_000_000 + attoseconds / 1_000_000_000
                state.latency.record(nanoseconds: UInt64(clamping: nanoseconds))
            }
        }
    }

    func failed() { self.state.withLock { $0.failures += 1 } }
}
