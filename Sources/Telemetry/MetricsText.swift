/// Writes metrics in Prometheus' text format, version 0.0.4.
///
/// Each metric is written once, with all its samples: one without any is there with its description, so that an alert's
/// author finds it.
package struct MetricsText: ~Copyable {
    /// The `Content-Type` that goes with the text.
    package static let contentType = "text/plain; version=0.0.4; charset=utf-8"

    package private(set) var text = ""

    package init() {}

    /// A metric without labels.
    package mutating func write(_ metric: Metric, _ value: some MetricValue) {
        self.write(metric, [([], value)])
    }

    /// - Parameter samples: the labels' values, one for each of the metric's names, with what was measured. They are
    ///   written in the order of the values.
    package mutating func write<Value: MetricValue>(_ metric: Metric, _ samples: [([String], Value)]) {
        self.describe(metric)
        for (labels, value) in samples.sorted(by: { $0.0.lexicographicallyPrecedes($1.0) }) {
            self.sample(metric.name, Array(zip(metric.labels, labels)), value.metricText)
        }
    }

    /// A histogram without labels.
    package mutating func write(_ metric: Metric, _ histogram: Histogram) {
        self.describe(metric)
        var count: UInt64 = 0
        for (bound, inBucket) in zip(histogram.bounds, histogram.counts) {
            count += inBucket
            self.sample("\(metric.name)_bucket", [("le", Self.seconds(bound))], "\(count)")
        }
        self.sample("\(metric.name)_bucket", [("le", "+Inf")], "\(histogram.count)")
        self.sample("\(metric.name)_sum", [], Self.seconds(histogram.sum))
        self.sample("\(metric.name)_count", [], "\(histogram.count)")
    }

    private mutating func describe(_ metric: Metric) {
        self.text += "# HELP \(metric.name) \(metric.help)\n# TYPE \(metric.name) \(metric.kind.rawValue)\n"
    }

    private mutating func sample(_ name: String, _ labels: [(String, String)], _ value: String) {
        self.text += name
        var separator = "{"
        for (label, value) in labels {
            self.text += "\(separator)\(label)=\"\(Self.escaped(value))\""
            separator = ","
        }
        self.text += separator == "{" ? " \(value)\n" : "} \(value)\n"
    }

    private static func seconds(_ nanoseconds: UInt64) -> String { "\(Double(nanoseconds) / 1e9)" }

    private static func escaped(_ text: String) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\\": result += "\\\\"
            case "\"": result += "\\\""
            case "\n": result += "\\n"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }
}

/// What a sample can be.
package protocol MetricValue {
    var metricText: String { get }
}

extension Int: MetricValue {
    package var metricText: String { String(self) }
}

extension UInt64: MetricValue {
    package var metricText: String { String(self) }
}

extension Double: MetricValue {
    package var metricText: String { String(self) }
}
