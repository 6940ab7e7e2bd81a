import Foundation
import Glibc
import Histogram
import LoadGenerator
import PusherClient
import PusherProtocol

/// The result of a run for a person.
struct BenchText {
    private let plan: LoadPlan
    private let result: LoadResult

    init(_ plan: LoadPlan, _ result: LoadResult) {
        self.plan = plan
        self.result = result
    }

    var text: String {
        var rows: [(String, String)] = [
            ("server", self.plan.endpoint.url), ("load", self.plan.summary),
            (
                "connected",
                "\(Self.whole(self.plan.connections)) in \(Self.decimal(self.result.connectSeconds, 2)) s, "
                    + "\(Self.whole(Double(self.plan.connections) / max(self.result.connectSeconds, 1e-6))) handshakes/s"
            ),
        ]
        if self.result.seconds > 0 { rows += self.rates }
        rows += self.usage
        rows.append(("integrity", self.integrity))
        for (reason, count) in Self.sorted(self.result.publishes.failures) {
            rows.append(("not published", "\(Self.whole(count)): \(reason)"))
        }
        for (reason, count) in Self.sorted(self.result.losses) {
            rows.append(("disconnected", "\(Self.whole(count)): \(reason)"))
        }
        if self.result.publishes.unsent > 0 {
            rows.append(("behind", "\(Self.whole(self.result.publishes.unsent)) events could not be sent in time"))
        }
        if self.generatorIsFull {
            rows.append(("note", "this program was the limit, not the server: give it more --threads"))
        }
        return rows.map { name, value in
            name + String(repeating: " ", count: max(1, 21 - name.count)) + Quoted.printable(value)
        }.joined(separator: "\n") + "\n"
    }

    private var rates: [(String, String)] {
        let seconds = self.result.seconds
        var rows = [
            ("measured", "\(Self.decimal(seconds, 1)) s\(self.result.wasStopped ? ", stopped early" : "")"),
            ("publishes", "\(Self.whole(Double(self.result.publishes.measured) / seconds))/s"),
            ("deliveries", "\(Self.whole(Double(self.result.deliveries.measured) / seconds))/s"),
            ("publish to delivery", Self.times(self.result.deliveries.latency)),
        ]
        // A client event has no answer.
        if self.plan.mode != .clientEvents {
            rows.append(("publish to answer", Self.times(self.result.publishes.latency)))
        }
        return rows
    }

    private var usage: [(String, String)] {
        var rows: [(String, String)] = []
        if let server = self.result.server {
            let perConnection = Double(server.memoryConnected - server.memoryBefore) / Double(self.plan.connections)
            if self.result.seconds > 0 {
                rows.append(
                    (
                        "server CPU",
                        "\(Self.decimal(server.cpu / self.result.seconds, 2)) cores, "
                            + "\(Self.whole(Double(self.result.deliveries.measured) / max(server.cpu, 0.01))) deliveries "
                            + "per CPU second"
                    ))
            }
            rows.append(
                (
                    "server memory",
                    "\(Self.megabytes(server.memoryBefore)) before, \(Self.megabytes(server.memoryConnected)) connected "
                        + "(\(Self.decimal(perConnection / 1024, 1)) KB each), \(Self.megabytes(server.memory)) at the end"
                ))
        }
        if self.result.seconds > 0 {
            rows.append(("this program", "\(Self.decimal(self.result.ownCPU / self.result.seconds, 2)) cores"))
        }
        return rows
    }

    private var integrity: String {
        let deliveries = self.result.deliveries
        return "\(Self.whole(self.result.publishes.accepted)) events, \(Self.whole(deliveries.received)) deliveries: "
            + "\(Self.whole(self.result.lost)) lost, \(Self.whole(deliveries.duplicated)) duplicated, "
            + "\(Self.whole(deliveries.reordered)) reordered, \(Self.whole(deliveries.malformed)) malformed"
    }

    private var generatorIsFull: Bool {
        self.result.seconds > 0 && self.result.ownCPU / self.result.seconds > 0.9 * Double(self.plan.threads)
    }

    /// What is wrong with a result that is not clean; one line.
    static func faults(_ result: LoadResult) -> String {
        let parts = [
            (result.lost, "lost"), (result.deliveries.duplicated, "duplicated"),
            (result.deliveries.reordered, "reordered"), (result.deliveries.malformed, "malformed"),
            (result.failed, "not published"), (result.lostConnections, "connections lost"),
        ].filter { $0.0 > 0 }.map { "\(self.whole($0)) \($1)" }
        let reason = self.sorted(result.publishes.failures).first ?? self.sorted(result.losses).first
        return parts.joined(separator: ", ") + (reason.map { "; first cause: \(Quoted.printable($0.key))" } ?? "")
    }

    /// Why there is no result; one line that says what to do.
    static func line(_ failure: LoadFailure, _ plan: LoadPlan) -> String {
        let authority = plan.endpoint.authority
        switch failure {
        case .connection(.unreachable(let address, _)) where failure.isRefusal:
            return "nothing listens on \(address); start the server ('make run'), or name it with --host and --port"
        case .connection(let reason): return "\(authority): \(Quoted.printable("\(reason)"))"
        case .subscription(_, let message):
            return
                "\(authority) refused a subscription: \(Quoted.printable(message)); is PUSHER_APP_SECRET the secret of "
                + "app \(plan.credentials.id)?"
        case .api(401, let body):
            return
                "\(authority) refused the signature of the HTTP API: \(Quoted.printable(String(body.prefix(120)))); is "
                + "PUSHER_APP_SECRET the secret of app \(plan.credentials.id)?"
        case .api(404, _): return "\(authority) has no HTTP API for app \(plan.credentials.id); check --app-id"
        case .api(let status, let body):
            return "the HTTP API of \(authority) answered \(status): \(Quoted.printable(String(body.prefix(120))))"
        case .noAPI(let reason): return "the HTTP API of \(authority): \(Quoted.printable("\(reason)"))"
        case .stopped: return "stopped before all connections were made; nothing was measured"
        }
    }

    private static func sorted(_ counts: [String: Int]) -> [(key: String, value: Int)] {
        counts.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
    }

    private static func times(_ histogram: Histogram<UInt64>) -> String {
        guard histogram.totalCount > 0 else { return "-" }
        let shares = [("p50", 50.0), ("p99", 99), ("p99.9", 99.9), ("max", 100)]
        return shares.map { "\($0) \(self.decimal(Double(histogram.valueAtPercentile($1)) / 1e6, 2)) ms" }
            .joined(separator: "   ")
    }

    static func whole(_ number: Int) -> String {
        var digits = String(abs(number))
        var groups: [String] = []
        while digits.count > 3 {
            groups.insert(String(digits.suffix(3)), at: 0)
            digits.removeLast(3)
        }
        return (number < 0 ? "-" : "") + ([digits] + groups).joined(separator: ",")
    }

    static func whole(_ number: Double) -> String { self.whole(Int(number.rounded())) }

    static func decimal(_ number: Double, _ places: Int) -> String { String(format: "%.\(places)f", number) }

    private static func megabytes(_ bytes: Int) -> String { "\(self.decimal(Double(bytes) / 1_048_576, 1)) MB" }
}

extension LoadFailure {
    fileprivate var isRefusal: Bool {
        if case .connection(.unreachable(_, let errno)) = self { errno == ECONNREFUSED } else { false }
    }
}

extension LoadPlan {
    fileprivate var summary: String {
        let how =
            switch self.mode {
            case .http(let batch):
                "HTTP publishes" + (batch > 1 ? " of \(batch) events" : "") + " over \(self.publishers) connections"
            case .clientEvents: "client events of \(self.publishers) subscribers"
            }
        let when =
            switch self.pace {
            case .closed(let inFlight): "\(inFlight) in flight"
            case .open(let rate): "\(BenchText.whole(rate)) a second"
            }
        return "\(BenchText.whole(self.connections)) connections, \(BenchText.whole(self.channels)) "
            + "\(self.kind.rawValue) channels, \(self.subscriptions) each; \(BenchText.whole(self.payload)) bytes; \(how), "
            + when
    }
}

extension LoadProgress {
    /// The line at the terminal.
    var line: String {
        switch self {
        case .connecting(let count, let all): "connecting: \(BenchText.whole(count)) of \(BenchText.whole(all))"
        case .running(let phase, let left, let rates):
            "\(phase == .warmUp ? "warming up" : "measuring"): \(BenchText.whole(left)) s left"
                + (rates.map {
                    ", \(BenchText.whole($0.publishes)) publishes/s, \(BenchText.whole($0.deliveries)) deliveries/s"
                } ?? "")
        case .draining: "waiting for what is still under way"
        }
    }
}
