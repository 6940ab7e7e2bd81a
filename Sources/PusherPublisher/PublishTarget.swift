/// Where the signed HTTP API of a Pusher-compatible server is reached.
package struct PublishTarget: Sendable, Equatable {
    package enum Scheme: String, Sendable, CaseIterable {
        case http, https
    }

    package var scheme: Scheme
    /// A host name or an address; an IPv6 address without brackets.
    package var host: String
    package var port: Int

    package init(scheme: Scheme, host: String, port: Int) {
        self.scheme = scheme
        self.host = host
        self.port = port
    }

    /// `scheme://host:port`.
    package var url: String {
        let host = self.host.contains(":") ? "[\(self.host)]" : self.host
        return "\(self.scheme.rawValue)://\(host):\(self.port)"
    }
}
