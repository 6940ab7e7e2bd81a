internal import Logging
internal import PusherProtocol

/// Which endpoint is told of which event. Owned by the dispatcher's loop.
struct EventRouter {
    private struct Route {
        var endpoint: WebhookEndpoint
        let worker: EndpointWorker
    }

    private struct App {
        var timeline: EventTimeline
        var routes: [Route] = []
    }

    private let configuration: WebhookConfiguration
    private let lookups: HostLookups
    private let letters: LetterDesk
    private let counts: WebhookCounts
    private let logger: Logger
    private var apps: [String: App] = [:]

    init(configuration: WebhookConfiguration, letters: LetterDesk, counts: WebhookCounts, logger: Logger) {
        self.configuration = configuration
        self.lookups = HostLookups(configuration)
        self.letters = letters
        self.counts = counts
        self.logger = logger
    }

    /// One for each endpoint of the configuration.
    var workers: [EndpointWorker] { self.apps.values.flatMap(\.routes).map(\.worker) }

    /// When to call `release`.
    var nextDue: ContinuousClock.Instant? { self.apps.values.compactMap(\.timeline.nextDue).min() }

    /// Takes a configuration; returns the workers that are new, to be run. An endpoint is known by its app and URL;
    /// those of one app with the same URL by their order.
    mutating func configure(_ apps: [WebhookApp]) -> [EndpointWorker] {
        var before = self.apps
        var started: [EndpointWorker] = []
        self.apps = [:]
        for app in apps where !app.endpoints.isEmpty {
            let timeline = EventTimeline(
                delay: self.configuration.holdBack, capacity: self.configuration.maxHeldBack)
            var old = before.removeValue(forKey: app.id) ?? App(timeline: timeline)
            var routes: [Route] = []
            for endpoint in app.endpoints {
                if let index = old.routes.firstIndex(where: { $0.endpoint.url == endpoint.url }) {
                    let worker = old.routes.remove(at: index).worker
                    worker.reconfigure(app: app, endpoint: endpoint)
                    routes.append(Route(endpoint: endpoint, worker: worker))
                } else {
                    let worker = EndpointWorker(
                        app: app, endpoint: endpoint, configuration: self.configuration, lookups: self.lookups,
                        letters: self.letters, counts: self.counts, logger: self.logger)
                    routes.append(Route(endpoint: endpoint, worker: worker))
                    started.append(worker)
                }
            }
            for route in old.routes { route.worker.dismiss() }
            self.apps[app.id] = App(timeline: old.timeline, routes: routes)
        }
        for app in before.values {
            for route in app.routes { route.worker.dismiss() }
        }
        return started
    }

    /// Sorts an app's events, in order.
    mutating func route(_ events: [WebhookEvent], app: String, now: ContinuousClock.Instant) async {
        var told: [WebhookEvent] = []
        for event in events { self.apps[app]?.timeline.happened(event, now: now, told: &told) }
        await self.tell(told, app: app, now: now)
    }

    /// Sorts what has been held back long enough.
    mutating func release(now: ContinuousClock.Instant) async {
        for app in Array(self.apps.keys) {
            var told: [WebhookEvent] = []
            self.apps[app]?.timeline.release(now: now, told: &told)
            await self.tell(told, app: app, now: now)
        }
    }

    /// Sorts all that is held back, and gives the workers their last time.
    mutating func finish() async {
        let now = ContinuousClock.now
        for app in Array(self.apps.keys) {
            var told: [WebhookEvent] = []
            self.apps[app]?.timeline.releaseAll(told: &told)
            await self.tell(told, app: app, now: now)
        }
        for worker in self.workers {
            worker.drain(until: now + self.configuration.shutdownTime)
        }
    }

    private func tell(_ events: [WebhookEvent], app: String, now: ContinuousClock.Instant) async {
        guard !events.isEmpty, let routes = self.apps[app]?.routes else { return }
        let time = WallClock.milliseconds
        // The same bytes for every endpoint.
        let written = events.map { event in
            (event, EndpointQueue.Event(json: event.json, arrival: now, time: time))
        }
        for route in routes {
            let wanted = written.filter { route.endpoint.wants($0.0) }.map(\.1)
            if !wanted.isEmpty { await route.worker.append(wanted) }
        }
    }
}
