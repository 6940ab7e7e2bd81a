/// What a path of the HTTP API asks for (8.5 to 8.11 of the protocol facts). Names and ids are as they stand in the
/// path, percent-escapes included.
enum APICall: Equatable {
    case events
    case batchEvents
    case channels
    case channel(String)
    case users(channel: String)
    case terminate(user: String)
    /// Ours, beside the protocol: the end of some connections, and of all subscriptions to a channel.
    case terminateConnections
    case terminateSubscriptions(channel: String)
    /// Deprecated: a channel's counts, and a trigger whose body is the data.
    case stats(channel: String)
    case channelEvents(channel: String)

    /// What says which app is meant.
    enum AppReference: Equatable {
        case id(String)
        /// The Python SDK leaves the app out of the path when it terminates a user (8.3).
        case authKey
    }

    /// The path `/apps/{id}/…`, or `/users/{id}/terminate_connections`; nil when there is nothing there.
    static func parse(_ path: String) -> (app: AppReference, call: APICall)? {
        let prefix = "/apps/".utf8
        guard path.utf8.starts(with: prefix) else {
            guard path.utf8.starts(with: "/users/".utf8), let call = APICall(path.dropFirst()) else { return nil }
            return (.authKey, call)
        }
        let tail = path.utf8.dropFirst(prefix.count)
        guard let slash = tail.firstIndex(of: UInt8(ascii: "/")), let call = APICall(path[tail.index(after: slash)...])
        else { return nil }
        return (.id(String(Substring(tail[..<slash]))), call)
    }

    private init?(_ path: Substring) {
        switch path {
        case "events": self = .events
        case "batch_events": self = .batchEvents
        case "channels": self = .channels
        case "terminate_connections": self = .terminateConnections
        default:
            let segments = path.split(separator: "/", omittingEmptySubsequences: false)
            guard segments.count == 2 || segments.count == 3 else { return nil }
            let name = String(segments[1])
            switch (segments[0], segments.count == 3 ? segments[2] : nil) {
            case ("channels", nil): self = .channel(name)
            case ("channels", "users"?): self = .users(channel: name)
            case ("channels", "stats"?): self = .stats(channel: name)
            case ("channels", "events"?): self = .channelEvents(channel: name)
            case ("channels", "terminate_subscriptions"?): self = .terminateSubscriptions(channel: name)
            case ("users", "terminate_connections"?): self = .terminate(user: name)
            default: return nil
            }
        }
    }

    var isQuery: Bool {
        switch self {
        case .channels, .channel, .users, .stats: true
        case .events, .batchEvents, .terminate, .terminateConnections, .terminateSubscriptions, .channelEvents: false
        }
    }

    var publishes: Bool {
        switch self {
        case .events, .batchEvents, .channelEvents: true
        case .channels, .channel, .users, .stats, .terminate, .terminateConnections, .terminateSubscriptions: false
        }
    }

    func isAllowed(method: String) -> Bool {
        self.isQuery ? method == "GET" || method == "HEAD" : method == "POST"
    }

    /// The value of an `Allow` field.
    var allowed: String { self.isQuery ? "GET, HEAD" : "POST" }
}
