internal import Synchronization

/// Counts the requests of each caller in the present minute of the clock, in memory of a fixed size.
///
/// A count-min sketch: each caller has one cell in each of four rows, chosen by a hash with this process's own key, and
/// its count is the least of the four. Others in the same cells can make it too high, never too low: whoever comes from
/// many addresses finds no place to fill and nobody to push out, and resets no one's count, not even his own. A caller
/// is refused for others only when all four cells have reached the limit; that takes about 65,536 times the limit in
/// requests within one minute.
final class RequestCounts: Sendable {
    private static let rows = 4
    /// 16 bits of the hash for each row.
    private static let cellsPerRow = 1 << 16

    let limit: Int
    private let table = Mutex(Table())

    init(limit: Int) {
        self.limit = limit
    }

    /// What a caller may still do in this minute.
    struct Allowance: Sendable {
        let limit: Int
        let remaining: Int
    }

    /// Counts a request unless there were as many as are allowed: then throws `throttled`.
    func take(_ caller: some Hashable, now: Timestamp) throws(TicketFailure) -> Allowance {
        let cells = Self.cells(of: caller)
        let count = self.table.withLock { $0.add(to: cells, below: self.limit, minute: Self.minute(now)) }
        guard let count else { throw self.refusal(now) }
        return Allowance(limit: self.limit, remaining: self.limit - count)
    }

    /// Throws `throttled` when there were as many as are allowed; counts nothing.
    func check(_ caller: some Hashable, now: Timestamp) throws(TicketFailure) {
        let cells = Self.cells(of: caller)
        let count = self.table.withLock { $0.count(of: cells, minute: Self.minute(now)) }
        guard count < self.limit else { throw self.refusal(now) }
    }

    private func refusal(_ now: Timestamp) -> TicketFailure {
        .throttled(
            limit: self.limit, until: Timestamp(microseconds: (Self.minute(now) + 1) * 60_000_000), now: now)
    }

    private static func minute(_ now: Timestamp) -> Int64 { now.microseconds / 60_000_000 }

    private static func cells(of caller: some Hashable) -> [Int] {
        let hash = UInt(bitPattern: caller.hashValue)
        return (0..<self.rows).map { row in
            row * self.cellsPerRow + Int(truncatingIfNeeded: hash >> UInt(16 * row)) & (self.cellsPerRow - 1)
        }
    }

    private struct Table {
        private var minute: Int64 = 0
        /// 1 MiB.
        private var counts = [UInt32](repeating: 0, count: RequestCounts.rows * RequestCounts.cellsPerRow)

        /// The new count; nil when it is at the limit already.
        mutating func add(to cells: [Int], below limit: Int, minute: Int64) -> Int? {
            let count = self.count(of: cells, minute: minute)
            guard count < limit else { return nil }
            // Only the cells that would fall behind: the others hold more than this caller's.
            for cell in cells { self.counts[cell] = max(self.counts[cell], UInt32(clamping: count + 1)) }
            return count + 1
        }

        mutating func count(of cells: [Int], minute: Int64) -> Int {
            self.turn(to: minute)
            return Int(cells.map { self.counts[$0] }.min() ?? 0)
        }

        /// Begins anew in another minute. A call that comes just after the turn with the time before it counts in the
        /// new one; only a clock that was put back begins anew too.
        private mutating func turn(to minute: Int64) {
            guard minute > self.minute || minute < self.minute - 1 else { return }
            self.minute = minute
            self.counts.withUnsafeMutableBufferPointer { $0.update(repeating: 0) }
        }
    }
}
