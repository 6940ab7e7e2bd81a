package import NIOCore
internal import NIOSSL

/// Where a Pusher-compatible server takes WebSocket clients.
package struct PusherEndpoint: Sendable {
    /// A host name or an address; an IPv6 address without brackets.
    package let host: String
    package let port: Int
    /// Nil for a plain connection.
    package let tls: ClientTLS?
    /// The public key of the app.
    package let key: String
    /// What the client calls itself: the parameters `client` and `version`.
    package let client: String
    package let version: String

    package init(host: String, port: Int, tls: ClientTLS?, key: String, client: String, version: String) {
        self.host = host
        self.port = port
        self.tls = tls
        self.key = key
        self.client = client
        self.version = version
    }

    /// `ws://host:port/app/KEY`.
    package var url: String { "\(self.tls == nil ? "ws" : "wss")://\(self.authority)/app/\(self.key)" }

    /// `host:port`, as it stands in URLs and in `Host`.
    package var authority: String { "\(self.host.contains(":") ? "[\(self.host)]" : self.host):\(self.port)" }

    /// The request to become a WebSocket (RFC 6455 section 4.1, and 1.1 of the protocol facts).
    func upgradeRequest(nonce: String) -> String {
        let path = "/app/\(Self.escaped(self.key))?protocol=7&client=\(Self.escaped(self.client))"
        return "GET \(path)&version=\(Self.escaped(self.version)) HTTP/1.1\r\nHost: \(self.authority)\r\n"
            + "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
            + "Sec-WebSocket-Key: \(nonce)\r\nUser-Agent: \(Self.escaped(self.client))/\(Self.escaped(self.version))\r\n\r\n"
    }

    /// The unreserved characters of RFC 3986 as they are, all else percent-encoded: nothing can end the request line.
    private static func escaped(_ text: String) -> String {
        text.utf8.map { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
                UInt8(ascii: "~"):
                String(UnicodeScalar(byte))
            default: "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
            }
        }.joined()
    }
}

/// How a client speaks TLS.
package struct ClientTLS: Sendable {
    /// Whom a client believes.
    package enum Trust: Equatable, Sendable {
        /// The authorities that the system trusts.
        case system
        /// Those in a PEM file, and no others.
        case file(String)
        /// Anybody: for finding out what is wrong, and for a self-signed certificate on one's own machine.
        case anybody
    }

    /// Why TLS cannot be spoken at all; one line.
    package struct Unusable: Error, CustomStringConvertible {
        package let description: String
    }

    package let trust: Trust
    private let context: NIOSSLContext

    /// Reads the file of `trust`, once for all connections.
    package init(trusting trust: Trust) throws(Unusable) {
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.minimumTLSVersion = .tlsv12
        do {
            switch trust {
            case .system: break
            case .file(let path): configuration.trustRoots = .certificates(try NIOSSLCertificate.fromPEMFile(path))
            case .anybody: configuration.certificateVerification = .none
            }
        } catch {
            throw Unusable(description: "cannot read certificates in PEM form from the file of trusted authorities")
        }
        do {
            self.context = try NIOSSLContext(configuration: configuration)
        } catch {
            throw Unusable(description: "cannot set up TLS: \(error)")
        }
        self.trust = trust
    }

    /// Speaks TLS on a new connection, below all handlers that are added later. Call on its loop.
    ///
    /// - Parameter host: an address is no server name; the certificate must name it all the same.
    package func begin(on channel: any Channel, host: String) throws {
        // Fails for whatever is a name.
        let isAddress = (try? SocketAddress(ipAddress: host, port: 0)) != nil
        try channel.pipeline.syncOperations.addHandler(
            NIOSSLClientHandler(context: self.context, serverHostname: isAddress ? nil : host))
    }
}
