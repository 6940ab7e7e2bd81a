internal import Synchronization

/// What became of webhooks since the start, and who has those that wait. Any thread may call it.
final class WebhookCounts: Sendable {
    struct App {
        /// Requests by their outcome: each try is one.
        var accepted = 0
        var failed = 0
        /// Requests, or bundles of events, that were given up and kept.
        var deadLetters = 0
    }

    struct Totals {
        /// By the id of each app that has endpoints.
        var apps: [String: App] = [:]
        /// Events for which there was no room, and dead letters that could not be written.
        var lostEvents = 0
        var lostLetters = 0
        /// One for each endpoint.
        var workers: [EndpointWorker] = []
    }

    private let state = Mutex(Totals())

    var totals: Totals { self.state.withLock { $0 } }

    /// These apps have endpoints from now on, looked after by these workers.
    func serve(_ apps: [String], by workers: [EndpointWorker]) {
        self.state.withLock { state in
            state.workers = workers
            // Of an app that is gone, nobody is told any more.
            state.apps = Dictionary(uniqueKeysWithValues: Set(apps).map { ($0, state.apps[$0] ?? App()) })
        }
    }

    func attempted(app: String, isAccepted: Bool) {
        self.state.withLock { state in
            if isAccepted { state.apps[app]?.accepted += 1 } else { state.apps[app]?.failed += 1 }
        }
    }

    func kept(app: String) { self.state.withLock { $0.apps[app]?.deadLetters += 1 } }

    func lost(events: Int = 0, letters: Int = 0) {
        self.state.withLock { state in
            state.lostEvents += events
            state.lostLetters += letters
        }
    }
}
