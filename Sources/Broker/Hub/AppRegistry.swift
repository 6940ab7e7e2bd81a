import BrokerCore
import PusherProtocol
import Synchronization

/// Every app that is or was served, by id: an app that comes back finds its channels. Any thread may call it.
final class AppRegistry: Sendable {
    private let inboxes: [LoopInbox]
    private let maxInboxBytes: Int
    private let webhooks: (any WebhookSink)?
    private struct State {
        var hubs: [String: AppHub] = [:]
        var served = ServedApps([])
    }

    private let state = Mutex(State())

    init(inboxes: [LoopInbox], maxInboxBytes: Int, webhooks: (any WebhookSink)?) {
        self.inboxes = inboxes
        self.maxInboxBytes = maxInboxBytes
        self.webhooks = webhooks
    }

    /// The apps that are served at present.
    var served: ServedApps { self.state.withLock { $0.served } }

    /// Makes the apps to serve from now on, each with the channels it had, and hands them to `publish` before any later
    /// call hands out others. Apps that are not among them lose what they have cached.
    func replace<Result: Sendable>(
        with applications: [Application], publish: (ServedApps) -> Result
    ) -> Result {
        self.state.withLock { state in
            let served = ServedApps(
                applications.map { application in
                    let id = application.credentials.id
                    let hub =
                        state.hubs[id]
                        ?? AppHub(
                            id: id, index: state.hubs.count, inboxes: self.inboxes, maxInboxBytes: self.maxInboxBytes,
                            webhooks: self.webhooks)
                    state.hubs[id] = hub
                    return ServedApp(application: application, hub: hub)
                })
            state.served = served
            for (id, hub) in state.hubs where served.app(id: id) == nil { hub.emptyCache() }
            return publish(served)
        }
    }
}
