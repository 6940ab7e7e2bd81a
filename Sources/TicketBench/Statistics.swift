/// Times in nanoseconds, from which percentiles are taken.
struct Times {
    private let sorted: [Int64]

    init(_ times: [Int64]) {
        self.sorted = times.sorted()
    }

    var count: Int { self.sorted.count }

    /// Milliseconds within which this share of all times lies (0…1).
    func percentile(_ share: Double) -> Double {
        guard let last = self.sorted.last else { return .nan }
        let index = Int((Double(self.sorted.count) * share).rounded(.up)) - 1
        return Double(index < self.sorted.count ? self.sorted[max(0, index)] : last) / 1e6
    }

    var row: [String: Double] {
        [
            "p50_ms": self.percentile(0.5), "p99_ms": self.percentile(0.99), "p99.9_ms": self.percentile(0.999),
            "max_ms": self.percentile(1), "count": Double(self.count),
        ]
    }
}

func median(_ values: [Double]) -> Double {
    let sorted = values.sorted()
    guard !sorted.isEmpty else { return .nan }
    return (sorted[(sorted.count - 1) / 2] + sorted[sorted.count / 2]) / 2
}
