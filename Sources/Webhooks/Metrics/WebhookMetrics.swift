internal import Telemetry

/// Every metric of the webhooks (docs/metrics.md).
enum WebhookMetrics {
    private static let queued = Metric(
        "switchboard_webhooks_queued_events", .gauge, "Events that no endpoint has accepted yet", labels: ["app"])
    private static let age = Metric(
        "switchboard_webhooks_queue_age_seconds", .gauge, "How long the oldest of them has waited", labels: ["app"])
    private static let requests = Metric(
        "switchboard_webhooks_requests_total", .counter, "Requests to endpoints, each try counted",
        labels: ["app", "outcome"])
    private static let deadLetters = Metric(
        "switchboard_webhooks_dead_letters_total", .counter, "Requests given up and kept as dead letters",
        labels: ["app"])
    private static let lost = Metric(
        "switchboard_webhooks_lost_total", .counter,
        "Events for which there was no room, and dead letters that could not be written", labels: ["what"])

    static func write(_ counts: WebhookCounts, now: ContinuousClock.Instant, to text: inout MetricsText) {
        let totals = counts.totals
        let apps = Array(totals.apps)
        var queued = totals.apps.mapValues { _ in 0 }
        var ages = totals.apps.mapValues { _ in 0.0 }
        for worker in totals.workers {
            let pending = worker.pending
            queued[worker.app]? += pending.events
            guard let since = pending.since, let age = ages[worker.app] else { continue }
            ages[worker.app] = max(age, (now - since) / .seconds(1))
        }
        text.write(self.queued, queued.map { ([$0], $1) })
        text.write(self.age, ages.map { ([$0], $1) })
        text.write(
            self.requests, apps.flatMap { [([$0, "accepted"], $1.accepted), ([$0, "failed"], $1.failed)] })
        text.write(self.deadLetters, apps.map { ([$0.key], $0.value.deadLetters) })
        text.write(self.lost, [(["events"], totals.lostEvents), (["dead_letters"], totals.lostLetters)])
    }
}
