internal import Telemetry

/// Every metric of the ticket API (docs/metrics.md).
enum TicketMetrics {
    private static let requests = Metric(
        "switchboard_tickets_http_requests_total", .counter, "Answered requests", labels: ["route", "status"])
    private static let connections = Metric(
        "switchboard_tickets_connections", .gauge, "Open connections of the ticket API's port")
    private static let uploads = Metric(
        "switchboard_tickets_uploads", .gauge, "Forms with files that are being read")
    private static let outboxEvents = Metric(
        "switchboard_tickets_outbox_events", .gauge, "Events that are stored and not yet published")
    private static let outboxAge = Metric(
        "switchboard_tickets_outbox_age_seconds", .gauge, "How long the oldest of them has waited")
    private static let calls = Metric(
        "switchboard_tickets_publish_calls_total", .counter, "Calls of the broker's HTTP API that publish the outbox",
        labels: ["outcome"])
    private static let writes = Metric(
        "switchboard_tickets_database_write_seconds", .histogram,
        "Time from the call of a write to the end of its commit")
    private static let failures = Metric(
        "switchboard_tickets_database_write_failures_total", .counter, "Transactions that could not be committed")

    struct Readings {
        let totals: TicketCounts.Totals
        let connections: Int
        let uploads: Int
        let outbox: OutboxState
        let now: Timestamp
        let store: StoreCounts.Totals
    }

    static func write(_ readings: Readings, to text: inout MetricsText) {
        text.write(self.requests, readings.totals.requests.map { ([$0.route, "\($0.status)"], $1) })
        text.write(self.connections, readings.connections)
        text.write(self.uploads, readings.uploads)
        text.write(self.outboxEvents, readings.outbox.events)
        text.write(self.outboxAge, readings.outbox.age(at: readings.now))
        text.write(
            self.calls, [(["accepted"], readings.totals.acceptedCalls), (["failed"], readings.totals.failedCalls)])
        text.write(self.writes, readings.store.latency)
        text.write(self.failures, readings.store.failures)
    }
}
