/// The endpoints of the broker's port, as metrics and logs call them.
enum BrokerRoute: String, Sendable {
    case webSocket = "/app/{key}"
    case up = "/up"
    case events = "/apps/{id}/events"
    case batchEvents = "/apps/{id}/batch_events"
    case channels = "/apps/{id}/channels"
    case channel = "/apps/{id}/channels/{channel}"
    case users = "/apps/{id}/channels/{channel}/users"
    case stats = "/apps/{id}/channels/{channel}/stats"
    case channelEvents = "/apps/{id}/channels/{channel}/events"
    case terminateUser = "/apps/{id}/users/{user}/terminate_connections"
    case terminateConnections = "/apps/{id}/terminate_connections"
    case terminateSubscriptions = "/apps/{id}/channels/{channel}/terminate_subscriptions"
    /// What is none of these, or was not understood.
    case other

    init(_ call: APICall) {
        self =
            switch call {
            case .events: .events
            case .batchEvents: .batchEvents
            case .channels: .channels
            case .channel: .channel
            case .users: .users
            case .stats: .stats
            case .channelEvents: .channelEvents
            case .terminate: .terminateUser
            case .terminateConnections: .terminateConnections
            case .terminateSubscriptions: .terminateSubscriptions
            }
    }
}
