import Addresses
import Foundation
import Logging
import PusherPublisher
import TicketAPI

/// Every setting there is. Help, parsing and error messages are made from these rows and from nothing else.
enum SettingTable {
    static let brokerHost = Setting("BROKER_HOST", default: "127.0.0.1", .host(), "address the broker listens on")
    static let brokerPort = Setting("BROKER_PORT", default: "6001", .listenPort(), "port the broker listens on")
    static let brokerEventLoops = Setting(
        "BROKER_EVENT_LOOPS", or: "one per core", .wholeNumber(1...64), "threads that carry the broker's connections")
    static let brokerAllowedOrigins = Setting(
        "BROKER_ALLOWED_ORIGINS", default: "*", .origins(), "web pages that may connect to the broker, by host")

    static let ticketsHost = Setting(
        "TICKETS_HOST", default: "127.0.0.1", .host(), "address the ticket API listens on")
    static let ticketsPort = Setting("TICKETS_PORT", default: "8000", .listenPort(), "port the ticket API listens on")
    static let ticketsAllowedOrigins = Setting(
        "TICKETS_ALLOWED_ORIGINS", or: "none but its own", .webOrigins(),
        "web pages that may call the ticket API from another origin, with cookies too")
    static let tokenLifetime = Setting(
        "TICKETS_TOKEN_LIFETIME", default: "0", .minutes(), "minutes from the making of a token to its end")
    static let tokenIdleLifetime = Setting(
        "TICKETS_TOKEN_IDLE_LIFETIME", default: "0", .minutes(), "minutes from the last use of a token to its end")
    static let sessionLifetime = Setting(
        "TICKETS_SESSION_LIFETIME", default: "120", .wholeNumber(5...5_256_000),
        "minutes from the last use of a browser's session to its end")
    static let requestsPerUser = Setting(
        "TICKETS_REQUESTS_PER_MINUTE_PER_USER", default: "0", .wholeNumber(0...1_000_000, note: " (0 = any number)"),
        "requests to the ticket API that one user may send in a minute; more are answered 429")
    static let requestsPerAddress = Setting(
        "TICKETS_REQUESTS_PER_MINUTE_PER_ADDRESS", default: "0",
        .wholeNumber(0...1_000_000, note: " (0 = any number)"),
        "those without valid credentials that one network address may send")
    static let dataDirectory = Setting(
        "DATA_DIR", default: "./data", .path(), "directory of the database and of generated credentials")
    static let eventStyle = Setting(
        "EVENT_STYLE", default: EventStyle.both.rawValue, .oneOf(EventStyle.self),
        "names of published events: NewMessage, App\\Events\\NewMessage, or both")

    static let eventAliases = Setting(
        "EVENT_ALIASES", or: "none", .eventAliases(), "one more name each that an event is published under")

    static let appID = Setting("PUSHER_APP_ID", or: generated, .appName(), "the app's id")
    static let appKey = Setting("PUSHER_APP_KEY", or: generated, .appName(), "the app's public key")
    static let appSecret = Setting("PUSHER_APP_SECRET", or: generated, .secret(), "the app's secret")
    static let clientEvents = Setting(
        "PUSHER_APP_CLIENT_EVENTS", default: "1", .onOff(), "whether clients may send client events")
    static let clientEventsPerSecond = Setting(
        "PUSHER_APP_CLIENT_EVENTS_PER_SECOND", default: "10", .wholeNumber(0...100_000, note: " (0 = any number)"),
        "client events one connection may send in a second")

    static let pusherHost = Setting(
        "PUSHER_HOST", or: "this broker", .host(), "host of the broker the ticket API publishes to")
    static let pusherPort = Setting(
        "PUSHER_PORT", or: "the broker's, or 443 with https", .wholeNumber(1...65535, placeholder: "port"), "its port")
    static let pusherScheme = Setting(
        "PUSHER_SCHEME", default: PublishTarget.Scheme.http.rawValue, .oneOf(PublishTarget.Scheme.self),
        "how it is reached")

    static let opsHost = Setting(
        "OPS_HOST", default: "127.0.0.1", .host(), "address of the port for operators: metrics and health, for anybody")
    static let opsPort = Setting(
        "OPS_PORT", default: "9601", .listenPort(), "port of /metrics, /live, /ready and /up")
    static let drain = Setting(
        "DRAIN", default: "10s", .duration(0...3600), "time over which clients are sent away when the server is stopped"
    )

    static let demo = Setting(
        "DEMO", default: "0", .onOff(), "plant accounts and tickets to try it with; on loopback addresses only")
    static let logLevel = Setting("LOG_LEVEL", default: "info", .oneOf(Logger.Level.self), "least level that is logged")
    static let logFormat = Setting(
        "LOG_FORMAT", default: LogFormat.text.rawValue, .oneOf(LogFormat.self), "form of a log line")

    static let tlsCertificate = Setting(
        "TLS_CERTIFICATE", or: "no TLS", .path(), "PEM file of the broker's certificate and those above it")
    static let tlsKey = Setting("TLS_KEY", or: "no TLS", .path(), "PEM file of its private key")
    static let trustedProxies = Setting(
        "TRUSTED_PROXIES", or: "none", .ranges(), "proxies whose X-Forwarded-For and -Proto are believed")
    static let brokerMaxConnections = Setting(
        "BROKER_MAX_CONNECTIONS", default: "0", .wholeNumber(0...10_000_000, note: " (0 = any number)"),
        "WebSocket connections at once, of all apps")
    static let brokerMaxConnectionsPerAddress = Setting(
        "BROKER_MAX_CONNECTIONS_PER_ADDRESS", default: "0", .wholeNumber(0...1_000_000, note: " (0 = any number)"),
        "WebSocket connections at once of one network address; TRUSTED_PROXIES must be right")
    static let ticketsMaxConnections = Setting(
        "TICKETS_MAX_CONNECTIONS", default: "10000", .wholeNumber(1...1_000_000),
        "connections of the ticket API at once; more are answered 503")
    static let ticketsMaxUploads = Setting(
        "TICKETS_MAX_UPLOADS", default: "64", .wholeNumber(1...10_000),
        "forms with files that are received at once; more are answered 503")
    static let brokerActivityTimeout = Setting(
        "BROKER_ACTIVITY_TIMEOUT", default: "120", .wholeNumber(5...3600, note: " seconds"),
        "silence after which clients ping; less than any proxy in front allows")
    static let ticketsApp = Setting(
        "TICKETS_APP", or: "the first in the list", .appName(), "id of the app in apps that the ticket API uses")

    private static let generated = "generated at the first start"

    /// In the order of the help.
    static let rows: [SettingRow] = [
        brokerHost.row, brokerPort.row, brokerEventLoops.row, brokerAllowedOrigins.row,
        brokerMaxConnections.row, brokerMaxConnectionsPerAddress.row, brokerActivityTimeout.row, tlsCertificate.row,
        tlsKey.row, trustedProxies.row,
        ticketsHost.row, ticketsPort.row, ticketsAllowedOrigins.row, tokenLifetime.row, tokenIdleLifetime.row,
        sessionLifetime.row, requestsPerUser.row, requestsPerAddress.row, ticketsMaxConnections.row,
        ticketsMaxUploads.row,
        dataDirectory.row, eventStyle.row, eventAliases.row, ticketsApp.row,
        appID.row, appKey.row, appSecret.row, clientEvents.row, clientEventsPerSecond.row,
        pusherHost.row, pusherPort.row, pusherScheme.row,
        opsHost.row, opsPort.row, drain.row, demo.row, logLevel.row, logFormat.row,
    ]
}

extension SettingKind {
    /// By the event's plain name. What a server refuses as a name is refused here (8.5 of the protocol facts).
    fileprivate static func eventAliases() -> SettingKind<[String: String]> {
        let events = TicketEvent.allCases.map(\.rawValue).joined(separator: ", ")
        return .init(
            placeholder: "event=name,…",
            allowed: "pairs like NewMessage=message.sent, separated by commas; events are \(events)"
        ) { text in
            var aliases: [String: String] = [:]
            for pair in text.split(separator: ",", omittingEmptySubsequences: false) {
                let parts = pair.split(separator: "=", maxSplits: 1).map(String.init)
                guard parts.count == 2, TicketEvent(rawValue: parts[0]) != nil, aliases[parts[0]] == nil,
                    (1...200).contains(parts[1].unicodeScalars.count), !parts[1].hasPrefix("pusher:"),
                    !parts[1].hasPrefix("pusher_internal:")
                else { return nil }
                aliases[parts[0]] = parts[1]
            }
            return aliases
        }
    }

    /// Minutes up to ten years.
    fileprivate static func minutes() -> SettingKind<Int> {
        .wholeNumber(0...5_256_000, note: " (0 = it does not end)")
    }

    fileprivate static func webOrigins() -> SettingKind<Set<WebOrigin>> {
        .init(
            placeholder: "origins",
            allowed: "origins like https://app.example.com, separated by commas; not *, since cookies are let in"
        ) { text in
            var origins: Set<WebOrigin> = []
            for part in text.split(separator: ",", omittingEmptySubsequences: false) {
                guard let origin = WebOrigin(part.trimmingSpaces()) else { return nil }
                origins.insert(origin)
            }
            return origins
        }
    }

    fileprivate static func ranges() -> SettingKind<[CIDR]> {
        .init(
            placeholder: "ranges", allowed: "addresses and ranges like 10.0.0.0/8, separated by commas"
        ) { text in
            var ranges: [CIDR] = []
            for part in text.split(separator: ",", omittingEmptySubsequences: false) {
                guard let range = try? CIDR(String(part.trimmingSpaces())) else { return nil }
                ranges.append(range)
            }
            return ranges
        }
    }

    /// It stands in paths (`/apps/{id}`, `/app/{key}`) without being encoded.
    static func appName() -> SettingKind<String> {
        .text("1 to 64 letters, digits, - or _", length: 1...64) { byte in
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "-"), UInt8(ascii: "_"):
                true
            default: false
            }
        }
    }
}
