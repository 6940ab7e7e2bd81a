internal import Addresses
internal import HTTPTypes
internal import Hummingbird

/// Says where a request comes from. What proxies say of their clients counts if they are the operator's own.
///
/// `X-Forwarded-Host` is not among it: common proxies pass on what the client wrote there. They can keep `Host` instead.
struct TrustedProxies: Sendable {
    /// The client's network address, and whether it came by TLS, which this server leaves to proxies.
    typealias Origin = (address: String, usesTLS: Bool)

    let ranges: [CIDR]

    /// `peer` is the other end of the connection.
    func origin(of request: Request, from peer: String) -> Origin {
        guard !self.ranges.isEmpty, let address = IPAddress(peer) else { return (peer, false) }
        let origin = ClientOrigin(
            peer: address, overTLS: false, forwardedFor: Self.joined(.forwardedFor, request),
            forwardedProto: Self.joined(.forwardedProto, request), trusted: self.ranges)
        return (origin.address.description, origin.usesTLS)
    }

    private static func joined(_ name: HTTPField.Name, _ request: Request) -> String? {
        let values = request.headers[values: name]
        return values.isEmpty ? nil : values.joined(separator: ",")
    }
}
