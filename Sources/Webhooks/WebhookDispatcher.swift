package import Logging
package import PusherProtocol
internal import ServiceLifecycle
package import Telemetry

/// Tells the apps' endpoints what happens in their channels: one for the node.
///
/// `put` appends to a bounded inbox and returns. One loop takes it, holds back what may be undone (`EventTimeline`) and
/// sorts the rest into queues, one for each endpoint, each with a worker of its own: an endpoint that hangs delays
/// itself only.
package final class WebhookDispatcher: WebhookSink, Service {
    private let configuration: WebhookConfiguration
    private let inbox: EventInbox
    private let letters: LetterDesk
    private let counts = WebhookCounts()
    private let logger: Logger

    /// Events are taken from here on, and sent when `run` is called.
    package init(
        apps: [WebhookApp], deadLetters: DeadLetterBox, configuration: WebhookConfiguration = WebhookConfiguration(),
        logger: Logger
    ) {
        self.configuration = configuration
        self.inbox = EventInbox(maxBytes: configuration.maxInboxBytes)
        self.letters = LetterDesk(
            box: deadLetters, counts: self.counts, interval: configuration.logInterval, logger: logger)
        self.logger = logger
        self.inbox.configure(apps)
    }

    /// Takes an event for the app's endpoints. From any thread, under locks; never waits.
    package func put(_ event: WebhookEvent, app: String) {
        self.inbox.put(event, app: app)
    }

    /// Takes a new configuration. What is queued for an endpoint stays queued when the app still has one of that URL;
    /// what is queued for others is dropped, with a line in the log.
    package func reload(_ apps: [WebhookApp]) {
        self.inbox.configure(apps)
    }

    /// Writes its metrics. Any thread may call it.
    package func writeMetrics(to text: inout MetricsText) {
        WebhookMetrics.write(self.counts, now: .now, to: &text)
    }

    /// Sends until graceful shutdown or cancellation. At graceful shutdown everything that is held back is told at
    /// once and the queues have a bounded time; what is left then is kept as dead letters.
    package func run() async throws {
        await withGracefulShutdownHandler {
            await withDiscardingTaskGroup { group in
                var router = EventRouter(
                    configuration: self.configuration, letters: self.letters, counts: self.counts, logger: self.logger)
                await self.loop(&router, in: &group)
            }
        } onGracefulShutdown: {
            self.inbox.close()
        }
    }

    private func loop(_ router: inout EventRouter, in group: inout DiscardingTaskGroup) async {
        // Ends by itself when the task is cancelled; the workers end then, too. Alarms live in a group of their own, so
        // that the workers are not kept by one.
        await withDiscardingTaskGroup { alarms in
            var alarm = Alarm(self.inbox.doorbell)
            var losses = LossLog(interval: self.configuration.logInterval)
            for await _ in self.inbox.doorbell.rings {
                let delivery = self.inbox.take()
                if let apps = delivery.apps {
                    for worker in router.configure(apps) { group.addTask { await worker.run() } }
                    self.counts.serve(apps.filter { !$0.endpoints.isEmpty }.map(\.id), by: router.workers)
                }
                for (app, events) in delivery.events { await router.route(events, app: app, now: .now) }
                await router.release(now: .now)
                self.counts.lost(events: delivery.lost)
                if let count = losses.add(delivery.lost, now: .now) {
                    self.logger.error("Webhooks are lost: too many at a time.", metadata: ["events": "\(count)"])
                }
                if delivery.isLast { break }
                if let due = router.nextDue { alarm.set(due, in: &alarms) }
            }
            alarms.cancelAll()
        }
        self.inbox.close()
        await router.finish()
    }
}
