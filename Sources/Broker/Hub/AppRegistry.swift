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

    /// The apps to serve from now on, each with the channels it had.
    func replace(with applications: [Application]) -> ServedApps {
        self.hubs.withLock { hubs in
            ServedApps(
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
        }
    }
}
