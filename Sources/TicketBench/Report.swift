import Foundation

/// All figures of a run, as tables or as JSON.
struct Report {
    struct Load {
        let name: String
        let rate: Double
        let answers: Times
        let deliveries: Times
        let serverCPU: Double
        let generatorCPU: Double

        init(name: String, rate: Double, _ measured: ChatPart.Measured) {
            (self.name, self.rate) = (name, rate)
            (self.answers, self.deliveries) = (measured.answers, measured.deliveries)
            (self.serverCPU, self.generatorCPU) = (measured.serverCPU, measured.generatorCPU)
        }
    }

    struct Cost {
        let name: String
        let yardstick: String
        let microseconds: Double
        let yardstickMicroseconds: Double
        let ratio: Double
    }

    struct List {
        let name: String
        let path: String
        /// How many tickets there are on all pages.
        let total: Int
        let times: Times
    }

    var syncsPerSecond = Double.nan
    var loads: [Load] = []
    var costs: [Cost] = []
    var lists: [List] = []
    /// What must not be; empty after a good run.
    var faults: [String] = []

    var text: String {
        var lines = ["disk: \(Self.number(self.syncsPerSecond, 0)) appends of 4 KiB made durable per second"]
        for load in self.loads {
            lines += [
                "", "\(load.name): \(Self.number(load.rate, 0)) messages/s stored and delivered",
                "  POST to WebSocket   \(Self.text(load.deliveries))",
                "  POST to 201         \(Self.text(load.answers))",
                "  CPU                 server \(Self.number(load.serverCPU, 2)) cores, this generator "
                    + "\(Self.number(load.generatorCPU, 2)) cores",
            ]
        }
        if !self.costs.isEmpty { lines += ["", "CPU per request, median of the rounds"] }
        for cost in self.costs {
            lines.append(
                "  \(Self.column(cost.name, 34)) \(Self.number(cost.microseconds, 1)) us, "
                    + "\(Self.number(cost.ratio, 2)) times \(cost.yardstick) "
                    + "(\(Self.number(cost.yardstickMicroseconds, 1)) us)")
        }
        if !self.lists.isEmpty { lines += ["", "lists and searches: one request after another"] }
        for list in self.lists {
            lines.append(
                "  \(Self.column(list.name, 36)) p50 \(Self.number(list.times.percentile(0.5), 2)) ms, "
                    + "p99 \(Self.number(list.times.percentile(0.99), 2)) ms, \(list.total) tickets")
        }
        if let worst = self.lists.map({ $0.times.percentile(0.99) }).max() {
            lines.append("  worst p99 \(Self.number(worst, 2)) ms")
        }
        lines += ["", self.faults.isEmpty ? "every message exactly once and in order" : "FAULTS"]
        return (lines + self.faults.map { "  \($0)" }).joined(separator: "\n")
    }

    var json: String {
        let object: [String: Any] = [
            "syncs_per_second": self.syncsPerSecond,
            "loads": self.loads.map { load -> [String: Any] in
                [
                    "name": load.name, "messages_per_second": load.rate, "post_to_websocket": load.deliveries.row,
                    "post_to_201": load.answers.row, "server_cores": load.serverCPU,
                    "generator_cores": load.generatorCPU,
                ]
            },
            "costs": self.costs.map { cost -> [String: Any] in
                [
                    "name": cost.name, "cpu_us": cost.microseconds, "yardstick": cost.yardstick,
                    "yardstick_cpu_us": cost.yardstickMicroseconds, "ratio": cost.ratio,
                ]
            },
            "lists": self.lists.map { list -> [String: Any] in
                ["name": list.name, "path": list.path, "total": list.total, "times": list.times.row]
            },
            "faults": self.faults,
        ]
        let options: JSONSerialization.WritingOptions = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return (try? JSONSerialization.data(withJSONObject: object, options: options))
            .map { String(decoding: $0, as: UTF8.self) } ?? "{}"
    }

    private static func text(_ times: Times) -> String {
        let shares = [("p50", 0.5), ("p99", 0.99), ("p99.9", 0.999), ("max", 1)]
        return shares.map { "\($0) \(self.number(times.percentile($1), 2)) ms" }.joined(separator: "  ")
    }

    private static func number(_ value: Double, _ decimals: Int) -> String {
        String(format: "%.\(decimals)f", value)
    }

    private static func column(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(0, width - text.count))
    }
}
