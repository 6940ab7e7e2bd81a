import BrokerCore
import PusherProtocol
import Synchronization

/// Every app that is or was served, by id: an app that comes back finds its channels. Any thread may call it.
final class AppRegistry: Sendable {
    private let inboxes: [LoopInbox]
    private let maxInboxBytes: Int
    private let webhooks: (any WebhookSink)?
    private let hubs = Mutex<[String: AppHub]>([:])

    init(inboxes: [LoopInbox], maxInboxBytes: Int, webhooks: (any WebhookSink)?) {
        self.inboxes = inboxes
        self.maxInboxBytes = maxInboxBytes
        self.webhooks = webhooks
    }

    /// Makes the apps to serve from now on, each with the channels it had, and hands them to `publish` before any later
    /// call hands out others. Apps that are not among them lose what they have cached.
    func replace<Result: Sendable>(
        with applications: [Application], publish: (ServedApps) -> Result
    ) -> Result {
        self.hubs.withLock { hubs in
            let served = ServedApps(
                applications.map { application in
                    let id = application.credentials.id
                    let hub =
                        hubs[id]
                        ?? AppHub(
                            id: id, index: hubs.count, inboxes: self.inboxes, maxInboxBytes: self.maxInboxBytes,
                            webhooks: self.webhooks)
                    hubs[id] = hub
                    return ServedApp(application: application, hub: hub)
                })
            for (id, hub) in hubs where served.app(id: id) == nil { hub.emptyCache() }
            return publish(served)
        }
    }
}
