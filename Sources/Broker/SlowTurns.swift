import Synchronization

/// Counts what held up an event loop: pieces of work after which others had waited for long. Only the loop notes; any
/// thread may read.
package final class SlowTurns: Sendable {
    /// Nanoseconds above which a piece of work is counted.
    package static let limit: UInt64 = 5_000_000

    private let counted = Atomic<Int>(0)
    private let longestTime = Atomic<UInt64>(0)

    package init() {}

    /// - Parameter time: nanoseconds that a piece of work took.
    package func note(_ time: UInt64) {
        if time > Self.limit { self.counted.add(1, ordering: .relaxed) }
        if time > self.longestTime.load(ordering: .relaxed) { self.longestTime.store(time, ordering: .relaxed) }
    }

    /// How many pieces of work took longer than `limit`.
    package var count: Int { self.counted.load(ordering: .relaxed) }

    /// The longest of all pieces of work, in nanoseconds.
    package var longest: UInt64 { self.longestTime.load(ordering: .relaxed) }
}
