import PusherProtocol
import Telemetry

/// Every metric of the broker (docs/metrics.md).
enum BrokerMetrics {
    private static let sockets = Metric(
        "switchboard_broker_sockets", .gauge, "Open sockets of the broker's port, whatever is spoken on them",
        labels: ["loop"])
    private static let connections = Metric(
        "switchboard_broker_connections", .gauge, "WebSocket clients that are connected", labels: ["app"])
    private static let subscriptions = Metric(
        "switchboard_broker_subscriptions", .gauge, "Subscriptions of all connections", labels: ["app"])
    private static let channels = Metric(
        "switchboard_broker_channels", .gauge, "Channels with at least one subscription", labels: ["app"])
    private static let publishes = Metric(
        "switchboard_broker_publishes_total", .counter, "Events accepted over HTTP, one for each channel",
        labels: ["app"])
    private static let clientEvents = Metric(
        "switchboard_broker_client_events_total", .counter, "Client events accepted", labels: ["app"])
    private static let deliveries = Metric(
        "switchboard_broker_deliveries_total", .counter, "Events handed to sockets, one for each subscriber",
        labels: ["loop"])
    private static let received = Metric(
        "switchboard_broker_received_bytes_total", .counter, "Bytes read from sockets, after TLS", labels: ["loop"])
    private static let sent = Metric(
        "switchboard_broker_sent_bytes_total", .counter, "Bytes given to sockets, before TLS", labels: ["loop"])
    private static let refusals = Metric(
        "switchboard_broker_refusals_total", .counter,
        "Clients refused or closed, and messages refused, by the code and the reason", labels: ["code", "reason"])
    private static let requests = Metric(
        "switchboard_broker_http_requests_total", .counter, "Answered requests of the HTTP API, and handshakes",
        labels: ["route", "status"])
    private static let queue = Metric(
        "switchboard_broker_queue_bytes", .gauge, "Bytes of events that wait for an event loop", labels: ["loop"])
    private static let fanout = Metric(
        "switchboard_broker_fanout_seconds", .histogram,
        "Time from the acceptance of an event to the last of its sockets on an event loop")

    private static let slowTurns = Metric(
        "switchboard_broker_slow_turns_total", .counter,
        "Pieces of work that held up an event loop for more than five milliseconds", labels: ["loop"])
    private static let longestTurn = Metric(
        "switchboard_broker_longest_turn_seconds", .gauge, "The longest piece of work on an event loop since the start",
        labels: ["loop"])

    /// What is known of one event loop.
    struct Loop {
        let counts: LoopCounts
        let queueBytes: Int
        let turns: SlowTurns
    }

    static func write(apps: [ServedApp], loops: [Loop], to text: inout MetricsText) {
        func byApp(_ value: (AppHub) -> Int) -> [([String], Int)] {
            apps.map { ([$0.hub.id], value($0.hub)) }
        }
        func byLoop<Value>(_ value: (Loop) -> Value) -> [([String], Value)] {
            loops.enumerated().map { (["\($0.offset)"], value($0.element)) }
        }
        text.write(self.connections, byApp(\.connections))
        text.write(self.subscriptions, byApp(\.subscriptions))
        text.write(self.channels, byApp(\.channels))
        text.write(self.publishes, byApp(\.publishes))
        text.write(self.clientEvents, byApp(\.clientEvents))
        text.write(self.sockets, byLoop { $0.counts.sockets })
        text.write(self.deliveries, byLoop { $0.counts.fanout.deliveries })
        text.write(self.received, byLoop { $0.counts.bytesReceived })
        text.write(self.sent, byLoop { $0.counts.bytesSent + $0.counts.fanout.bytes })
        text.write(self.queue, byLoop { $0.queueBytes })
        text.write(self.slowTurns, byLoop { $0.turns.count })
        text.write(self.longestTurn, byLoop { Double($0.turns.longest) / 1e9 })

        let refusals = loops.reduce(into: [LoopCounts.Refusal: Int]()) {
            $0.merge($1.counts.refusals, uniquingKeysWith: +)
        }
        text.write(
            self.refusals,
            refusals.map { ([$0.code.map { "\($0)" } ?? "null", $0.reason.rawValue], $1) })
        let requests = loops.reduce(into: [LoopCounts.Request: Int]()) {
            $0.merge($1.counts.requests, uniquingKeysWith: +)
        }
        text.write(self.requests, requests.map { ([$0.route.rawValue, "\($0.status)"], $1) })
        var latency = FanoutCounts().latency
        for loop in loops { latency.add(loop.counts.fanout.latency) }
        text.write(self.fanout, latency)
    }
}
