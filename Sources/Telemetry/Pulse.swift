internal import Glibc
internal import Synchronization

/// The signs of life of something that must never stop: a loop, a writer. Any thread may beat and ask.
package final class Pulse: Sendable {
    /// What it is, for an operator.
    package let name: String
    /// After so long without a beat it is stuck.
    private let limit: UInt64
    /// When it beat last; `.max` once it has ended.
    private let last: Atomic<UInt64>

    package init(_ name: String, limit: Duration) {
        self.name = name
        let (seconds, attoseconds) = limit.components
        self.limit = UInt64(clamping: seconds * 1_000_000_000 + attoseconds / 1_000_000_000)
        self.last = Atomic(Self.now)
    }

    package func beat() { self.last.store(Self.now, ordering: .relaxed) }

    /// It will not beat any more, and need not.
    package func end() { self.last.store(.max, ordering: .relaxed) }

    /// Whole seconds since the last beat; nil while it is well.
    package var stuckForSeconds: Int? {
        let (last, now) = (self.last.load(ordering: .relaxed), Self.now)
        guard last < now, now - last > self.limit else { return nil }
        return Int((now - last) / 1_000_000_000)
    }

    /// Nanoseconds of the clock that nobody sets.
    private static var now: UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }
}
