internal import FoundationEssentials
package import PusherProtocol

/// What an operator wrote about a webhook cannot be used. The text says what is allowed and repeats nothing secret.
package struct WebhookMistake: Error, Equatable, CustomStringConvertible {
    package let description: String
}

/// An address that is told of an app's events.
package struct WebhookEndpoint: Sendable {
    /// As the operator wrote it. Its query may hold a secret: for a log there is `name`.
    package let url: String
    package let kinds: Set<WebhookEvent.Kind>
    /// With which a channel's name must start, or end, for its events to be told.
    package let channelPrefix: String?
    package let channelSuffix: String?
    /// Headers beside our own. Their values may be secrets.
    package let headers: [(name: String, value: String)]
    /// Whether a request may carry several events.
    package let batches: Bool
    /// Scheme, host, port and path: how a log calls the endpoint.
    package let name: String

    /// Checks what an operator wrote.
    /// - Parameter eventTypes: the kinds by their wire names; nil for all seven.
    package init(
        url: String, eventTypes: [String]? = nil, channelPrefix: String? = nil, channelSuffix: String? = nil,
        headers: [(name: String, value: String)] = [], batches: Bool = false
    ) throws(WebhookMistake) {
        self.name = try Self.name(of: url)
        self.url = url
        self.kinds = try Self.kinds(eventTypes)
        self.channelPrefix = try Self.part(channelPrefix, "channel_name_starts_with")
        self.channelSuffix = try Self.part(channelSuffix, "channel_name_ends_with")
        try Self.check(headers)
        self.headers = headers
        self.batches = batches
    }

    func wants(_ event: WebhookEvent) -> Bool {
        self.kinds.contains(event.kind)
            && (self.channelPrefix.map { event.channel.text.hasPrefix($0) } ?? true)
            && (self.channelSuffix.map { event.channel.text.hasSuffix($0) } ?? true)
    }

    private static func name(of url: String) throws(WebhookMistake) -> String {
        let isPrintable = url.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F }
        guard isPrintable, (1...2048).contains(url.utf8.count), let parts = URLComponents(string: url),
            let scheme = parts.scheme?.lowercased(), ["http", "https"].contains(scheme), let host = parts.host,
            !host.isEmpty
        else {
            throw WebhookMistake(
                description: "url must be http://HOST… or https://HOST…, at most 2048 printable ASCII characters "
                    + "without spaces")
        }
        guard parts.user == nil, parts.password == nil else {
            throw WebhookMistake(description: "url must not have a user or password in it; a header can carry them")
        }
        guard parts.fragment == nil else { throw WebhookMistake(description: "url must not have a fragment (#…)") }
        let port = parts.port ?? (scheme == "https" ? 443 : 80)
        // A number that no `Int` holds is no port to Foundation, and must not become the default one.
        let authority = url.drop { $0 != "/" }.dropFirst(2).prefix { !"/?".contains($0) }
        let saysPort = !authority.hasSuffix(parts.percentEncodedHost ?? host)
        guard (1...65_535).contains(port), saysPort == (parts.port != nil) else {
            throw WebhookMistake(description: "url must have a port from 1 to 65535, or none")
        }
        return "\(scheme)://\(host):\(port)\(parts.percentEncodedPath)"
    }

    private static func kinds(_ names: [String]?) throws(WebhookMistake) -> Set<WebhookEvent.Kind> {
        guard let names else { return Set(WebhookEvent.Kind.allCases) }
        let kinds = names.compactMap(WebhookEvent.Kind.init(rawValue:))
        guard !kinds.isEmpty, kinds.count == names.count else {
            let allowed = WebhookEvent.Kind.allCases.map(\.rawValue).joined(separator: ", ")
            throw WebhookMistake(description: "event_types must be a list of some of \(allowed)")
        }
        return Set(kinds)
    }

    private static func part(_ text: String?, _ setting: String) throws(WebhookMistake) -> String? {
        guard let text else { return nil }
        guard ChannelName(text, limit: 200) != nil else {
            throw WebhookMistake(
                description: "\(setting) must be 1 to 200 characters of channel names: letters, digits and _-=@,.;")
        }
        return text
    }

    private static let ownHeaders: Set<String> = [
        "connection", "content-encoding", "content-length", "content-type", "expect", "host", "keep-alive", "te",
        "trailer", "transfer-encoding", "upgrade",
    ]

    private static func check(_ headers: [(name: String, value: String)]) throws(WebhookMistake) {
        guard headers.count <= 32 else { throw WebhookMistake(description: "headers must be at most 32") }
        var names: Set<String> = []
        for (name, value) in headers {
            // A token of RFC 9110 5.6.2.
            let isToken = name.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"):
                    true
                default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
                }
            }
            guard isToken, (1...128).contains(name.utf8.count) else {
                throw WebhookMistake(
                    description: "headers must have names of 1 to 128 letters, digits and !#$%&'*+-.^_`|~")
            }
            let lowercased = name.lowercased()
            guard !Self.ownHeaders.contains(lowercased), !lowercased.hasPrefix("x-pusher-") else {
                throw WebhookMistake(
                    description: "headers must not name \(name): Content-Type, Content-Length, Host, X-Pusher-… and "
                        + "what frames a message are set by the server")
            }
            guard names.insert(lowercased).inserted else {
                throw WebhookMistake(description: "headers must not name \(name) twice")
            }
            let isPrintable = value.utf8.allSatisfy { ($0 >= 0x20 && $0 < 0x7F) || $0 == 0x09 }
            let isBare = value.utf8.first.map { $0 > 0x20 } ?? true && value.utf8.last.map { $0 > 0x20 } ?? true
            guard isPrintable, isBare, value.utf8.count <= 4096 else {
                throw WebhookMistake(
                    description: "headers.\(name) must be at most 4096 printable ASCII characters, without blanks at "
                        + "its ends")
            }
        }
    }
}
