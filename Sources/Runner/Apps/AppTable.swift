import PusherProtocol
import Yams

/// Every key of an app in the `apps` list. Reading, error messages and the reference in the documentation are made from
/// these rows and from nothing else.
enum AppTable {
    static let id = FileKey(
        "id", .plain(.appName()), "the app's id, in the paths of the HTTP API; unique. Some SDKs take digits only")
    static let name = FileKey("name", or: "none", .plain(.title()), "a name for logs and listings")
    static let key = FileKey("key", .plain(.appName()), "the public key, in WebSocket paths and signatures; unique")
    static let secret = FileKey(
        "secret", .plain(.secret()), "the secret; the older one while two are live. It signs webhooks")
    static let nextSecret = FileKey(
        "next_secret", or: "none", .plain(.secret()), "the one that will replace it; signatures with either are good")
    static let isEnabled = FileKey(
        "enabled", default: "true", .plain(.onOff()), "a disabled app's clients are closed with 4003")
    static let requiresTLS = FileKey(
        "require_tls", default: "false", .plain(.onOff()), "clients that come without TLS are refused with 4000")
    static let allowedOrigins = FileKey(
        "allowed_origins", default: #"["*"]"#, .origins(), "hosts whose web pages may connect; others get 4009")

    static let clientEvents = FileKey(
        "client_events", default: "true", .plain(.onOff()), "whether clients may send client events (whispers)")
    static let watchlist = FileKey(
        "watchlist", default: "false", .plain(.onOff()),
        "whether signed-in users are told who of their watchlist is online")
    static let subscriptionCounts = FileKey(
        "subscription_counts", default: "false", .plain(.onOff()),
        "whether subscribers are told how many they are")
    static let authorizationTimeout = FileKey(
        "authorization_timeout", default: "0", .number(0...3600, note: " seconds (0 = off)"),
        "seconds a client has to sign in or to join a private or presence channel, or be closed with 4009")

    static let connections = FileKey(
        "max_connections", default: "0", .rate, "connections at once; more are refused with 4004")
    static let publishesPerSecond = FileKey(
        "max_publishes_per_second", default: "0", .rate, "events published over HTTP; more are answered 429")
    static let clientEventsPerSecond = FileKey(
        "max_client_events_per_second", default: "0", .rate,
        "client events of all its connections in a second; more are refused with 4301")
    static let clientEventsPerConnection = FileKey(
        "max_client_events_per_connection", default: "10", .rate,
        "client events of one connection in a second; more are refused with 4301")

    static let channelName = FileKey(
        "max_channel_name", default: "164", .number(1...200, note: " bytes"), "bytes of a channel's name")
    static let eventData = FileKey(
        "max_event_data", default: "10240", .number(1...65_536, note: " bytes"), "bytes of an event's data")
    static let presenceMembers = FileKey(
        "max_presence_members", default: "100", .number(1...1000), "users in one presence channel")
    static let cacheSeconds = FileKey(
        "cache_seconds", default: "1800", .number(1...86_400, note: " seconds"),
        "how long a cache channel keeps its last event")
    static let cacheMegabytes = FileKey(
        "cache_megabytes", default: "64", .number(1...4096, note: " megabytes"),
        "memory for cached events; the oldest give way")

    static let webhooks = FileKeyRow(
        key: "webhooks", defaultText: nil, absence: "none", allowed: "a list of at most 32 webhooks, each with its url",
        isSecret: false, meaning: "who is told what happens in the app's channels")

    /// In the order of the documentation.
    static let rows: [FileKeyRow] = [
        id.row, name.row, key.row, secret.row, nextSecret.row, isEnabled.row, requiresTLS.row, allowedOrigins.row,
        clientEvents.row, watchlist.row, subscriptionCounts.row, authorizationTimeout.row,
        connections.row, publishesPerSecond.row, clientEventsPerSecond.row, clientEventsPerConnection.row,
        channelName.row, eventData.row, presenceMembers.row, cacheSeconds.row, cacheMegabytes.row,
        webhooks,
    ]
}

/// Every key of a webhook. What a value must look like is checked by `WebhookEndpoint`.
enum WebhookTable {
    static let url = FileKey(
        "url", .plain(.anything("http://HOST… or https://HOST…, without user and password", isSecret: true)),
        "the address that gets the POST requests")
    static let eventTypes = FileKey(
        "event_types", or: "all seven",
        .list(
            of: .oneOf(WebhookEvent.Kind.self), upTo: WebhookEvent.Kind.allCases.count,
            allowed: "a list of some of \(WebhookEvent.Kind.allCases.map(\.rawValue).joined(separator: ", "))"),
        "what it is told of")
    static let channelPrefix = FileKey(
        "channel_name_starts_with", or: "any", .plain(.anything("the beginning of channel names")),
        "tell only of channels whose name starts so")
    static let channelSuffix = FileKey(
        "channel_name_ends_with", or: "any", .plain(.anything("the end of channel names")),
        "tell only of channels whose name ends so")
    static let headers = FileKey(
        "headers", or: "none", .headers(), "headers that are sent along")
    static let batches = FileKey(
        "batch", default: "false", .plain(.onOff()), "whether one request may carry several events")

    static let rows: [FileKeyRow] = [
        url.row, eventTypes.row, channelPrefix.row, channelSuffix.row, headers.row, batches.row,
    ]
}

extension SettingKind {
    fileprivate static func title() -> SettingKind<String> {
        .init(placeholder: "text", allowed: "1 to 100 printable characters") { text in
            (1...100).contains(text.unicodeScalars.count) && !text.unicodeScalars.contains(where: Quoted.isControl)
                ? text : nil
        }
    }

    /// A text that is checked elsewhere.
    fileprivate static func anything(_ allowed: String, isSecret: Bool = false) -> SettingKind<String> {
        .init(placeholder: "text", allowed: allowed, isSecret: isSecret) { $0 }
    }
}

extension FileValueKind {
    fileprivate static func number(_ range: ClosedRange<Int>, note: String = "") -> FileValueKind<Int> {
        .plain(.wholeNumber(range, note: note))
    }

    /// How many there may be; nil for any number.
    fileprivate static var rate: FileValueKind<Int?> {
        FileValueKind<Int>.number(0...1_000_000, note: " (0 = any number)").map { $0 == 0 ? nil : $0 }
    }

    /// Hosts; nil for all.
    fileprivate static func origins() -> FileValueKind<Set<String>?> {
        FileValueKind<[String]>.list(
            of: .originHost(), upTo: 1000,
            allowed: #"["*"] for all, or a list of host names without scheme and port"#
        ).map { $0.contains("*") ? nil : Set($0) }
    }

    /// A mapping of names to texts. The texts are secrets: tokens travel in headers.
    fileprivate static func headers() -> FileValueKind<[(name: String, value: String)]> {
        .init(allowed: "a mapping of header names to texts ({X-Team: support})") { node throws(Misfit) in
            guard case .mapping(let mapping) = node else { throw Misfit(node) }
            var headers: [(name: String, value: String)] = []
            for (key, value) in mapping {
                guard case .scalar(let name) = key, case .scalar(let text) = value else {
                    throw Misfit(shown: "not only of names and texts", at: key)
                }
                headers.append((name.string, text.string))
            }
            return headers
        }
    }
}
