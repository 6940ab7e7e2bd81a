/// How often something took how long. A value: confined to whoever owns it.
package struct Histogram: Sendable, Equatable {
    /// The upper bounds of the buckets in nanoseconds, rising; an endless one follows.
    package let bounds: [UInt64]
    /// Observations of each bucket, not added up.
    package private(set) var counts: [UInt64]
    /// All observations, those above the last bound included.
    package private(set) var count: UInt64 = 0
    /// Nanoseconds of all observations together.
    package private(set) var sum: UInt64 = 0

    /// - Parameter bounds: in microseconds, rising.
    package init(microseconds bounds: [UInt64]) {
        self.bounds = bounds.map { $0 * 1000 }
        self.counts = Array(repeating: 0, count: bounds.count)
    }

    /// Counts `times` observations of one length.
    package mutating func record(nanoseconds: UInt64, times: UInt64 = 1) {
        if let bucket = self.bounds.firstIndex(where: { nanoseconds <= $0 }) { self.counts[bucket] += times }
        self.count += times
        self.sum &+= nanoseconds &* times
    }

    /// Adds what another one of the same bounds has.
    package mutating func add(_ other: Histogram) {
        precondition(self.bounds == other.bounds, "histograms of other bounds cannot be added")
        for index in self.counts.indices { self.counts[index] += other.counts[index] }
        self.count += other.count
        self.sum &+= other.sum
    }
}
