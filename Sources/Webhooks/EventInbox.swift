internal import PusherProtocol
internal import Synchronization

/// What the broker's threads hand to the dispatcher's loop, bounded for each app. The lock is held for an append or a
/// swap; no other lock is taken under it.
final class EventInbox: Sendable {
    struct Delivery {
        /// The configuration, when it is new.
        var apps: [WebhookApp]?
        /// By the app's id.
        var events: [String: [WebhookEvent]] = [:]
        /// Events that found no room.
        var lost = 0
        /// Nothing will follow.
        var isLast = false
    }

    fileprivate struct AppInbox {
        var kinds: Set<WebhookEvent.Kind>
        var events: [WebhookEvent] = []
        var bytes = 0
    }

    fileprivate struct State {
        var apps: [String: AppInbox] = [:]
        var newApps: [WebhookApp]?
        var lost = 0
        var isClosed = false
        var isRung = false
    }

    let doorbell = Doorbell()
    private let maxBytes: Int
    private let state = Mutex(State())

    /// - Parameter maxBytes: what an app's events may take together, roughly.
    init(maxBytes: Int) {
        self.maxBytes = maxBytes
    }

    func put(_ event: WebhookEvent, app: String) {
        let mustRing = self.state.withLock { state in
            guard !state.isClosed, let kinds = state.apps[app]?.kinds, kinds.contains(event.kind),
                // User channels have no webhooks (P158).
                event.channel.kind != .user
            else { return false }
            state.append(event, app: app, maxBytes: self.maxBytes)
            defer { state.isRung = true }
            return !state.isRung
        }
        if mustRing { self.doorbell.ring() }
    }

    /// From here on events of these apps are taken, and of no others.
    func configure(_ apps: [WebhookApp]) {
        self.state.withLock { state in
            var inboxes: [String: AppInbox] = [:]
            for app in apps where !app.endpoints.isEmpty {
                inboxes[app.id] = state.apps[app.id] ?? AppInbox(kinds: [])
                inboxes[app.id]?.kinds = app.decisiveKinds
            }
            state.apps = inboxes
            state.newApps = apps
        }
        self.doorbell.ring()
    }

    /// Nothing is taken any more.
    func close() {
        self.state.withLock { $0.isClosed = true }
        self.doorbell.ring()
    }

    func take() -> Delivery {
        self.state.withLock { state in
            var delivery = Delivery(apps: state.newApps, lost: state.lost, isLast: state.isClosed)
            for (id, inbox) in state.apps where !inbox.events.isEmpty {
                delivery.events[id] = inbox.events
                state.apps[id] = AppInbox(kinds: inbox.kinds)
            }
            state.newApps = nil
            state.lost = 0
            state.isRung = false
            return delivery
        }
    }
}

extension EventInbox.State {
    /// What an event takes beside its texts.
    private static var bytesPerEvent: Int { 128 }

    fileprivate mutating func append(_ event: WebhookEvent, app: String, maxBytes: Int) {
        var bytes = Self.bytesPerEvent + event.channel.text.utf8.count
        switch event {
        case .clientEvent(_, let relayed): bytes += relayed.data.count + relayed.name.utf8.count
        case .memberAdded(_, let userID), .memberRemoved(_, let userID): bytes += userID.utf8.count
        case .channelOccupied, .channelVacated, .cacheMiss, .subscriptionCount: break
        }
        // Only the number is read out: a copy of the inbox would make the append copy its events.
        guard let used = self.apps[app]?.bytes, used + bytes <= maxBytes else {
            self.lost += 1
            return
        }
        self.apps[app]?.events.append(event)
        self.apps[app]?.bytes += bytes
    }
}
