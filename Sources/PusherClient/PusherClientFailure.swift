internal import Glibc
internal import NIOCore
internal import NIOPosix
internal import NIOSSL
package import Wire

/// Why a connection did not come about, or ended without being asked to. What a server said is in it as it said it,
/// cut: make it printable before it is shown.
package enum PusherClientFailure: Error, Equatable, Sendable {
    /// How far a connection had come.
    package enum Stage: Equatable, Sendable {
        case connecting, tls, upgrade
        /// Upgraded, and waiting for `pusher:connection_established`.
        case establishing
        case established
    }

    package enum TLSReason: Equatable, Sendable {
        /// The certificate is of an authority that is not trusted, has expired, or is not yet valid.
        case untrusted
        /// The certificate is for other names than the host's.
        case wrongName
        /// What answers does not speak TLS.
        case notTLS
        /// Anything else, in the library's words: no common version, an alert of the server.
        case other(String)
    }

    /// An answer to the upgrade that is not 101.
    package struct Refusal: Equatable, Sendable {
        package let status: Int
        /// The head as it came, at most 16 KiB.
        package let head: String
        /// The start of the body, at most 2 KiB.
        package let body: String

        package init(status: Int, head: String, body: String) {
            self.status = status
            self.head = head
            self.body = body
        }
    }

    /// The host's name has no address; the resolver's words.
    case unknownHost(String)
    /// No connection to any of the host's addresses; the last one and its error.
    case unreachable(address: String, errno: CInt)
    /// Nothing happened for `PusherConnection.patience`.
    case timedOut(Stage)
    case tls(TLSReason)
    case upgradeRefused(Refusal)
    /// What answers does not speak HTTP; the start of what it said.
    case notHTTP(String)
    /// 101, but a header field is missing or wrong: a proxy that does not know WebSockets, as a rule.
    case malformedUpgrade(String)
    /// `pusher:error` instead of `pusher:connection_established`.
    case error(code: Int?, message: String)
    /// A WebSocket, but not one of a Pusher server; the start of its first message.
    case notPusher(String)
    /// The server sent a close frame.
    case closed(code: UInt16?, reason: String)
    /// The server broke RFC 6455.
    case violation(WebSocketViolation)
    /// The server did not answer a ping.
    case silent
    /// The connection ended without a close frame; the system's error, 0 for an orderly end.
    case cut(Stage, errno: CInt)

    /// What an error of NIO or TLS means at a stage.
    package init(_ error: any Error, at stage: Stage) {
        switch error {
        case let failure as PusherClientFailure: self = failure
        case let error as NIOConnectionError:
            if let last = error.connectionErrors.last {
                self.init(last.error, connectingTo: last.target)
            } else {
                let unknown = (error.dnsAError ?? error.dnsAAAAError) as? SocketAddressError.UnknownHost
                self = .unknownHost(unknown?.errorDescription ?? "\(error)")
            }
        case ChannelError.connectTimeout: self = .timedOut(.connecting)
        case let error as NIOSSLError where stage == .tls: self = .tls(TLSReason(error))
        case is NIOSSLExtraError where stage == .tls: self = .tls(.wrongName)
        case let error as IOError: self = .cut(stage, errno: error.errnoCode)
        default: self = .cut(stage, errno: 0)
        }
    }

    /// Why one address could not be connected to.
    init(_ error: any Error, connectingTo address: SocketAddress) {
        switch error {
        case let error as IOError: self = .unreachable(address: Self.text(address), errno: error.errnoCode)
        case ChannelError.connectTimeout: self = .timedOut(.connecting)
        default: self = .unreachable(address: Self.text(address), errno: 0)
        }
    }

    private static func text(_ address: SocketAddress) -> String {
        let ip = address.ipAddress ?? "\(address)"
        return "\(ip.contains(":") ? "[\(ip)]" : ip):\(address.port ?? 0)"
    }
}

extension PusherClientFailure.TLSReason {
    init(_ error: NIOSSLError) {
        guard case .handshakeFailed(.sslError(let stack)) = error else {
            self = .other("\(error)")
            return
        }
        // The library gives names to its errors only in this text.
        let text = stack.map(\.description).joined(separator: "; ")
        let isForeign = ["WRONG_VERSION_NUMBER", "HTTP_REQUEST", "HTTPS_PROXY_REQUEST"].contains { text.contains($0) }
        if text.contains("CERTIFICATE_VERIFY_FAILED") {
            self = .untrusted
        } else if isForeign {
            self = .notTLS
        } else {
            self = .other(text)
        }
    }
}

extension PusherClientFailure: CustomStringConvertible {
    /// One line, without a full stop.
    package var description: String {
        switch self {
        case .unknownHost(let words): "the host has no address: \(words)"
        case .unreachable(let address, let errno):
            "cannot connect to \(address): \(errno == 0 ? "the connection failed" : Self.words(errno))"
        case .timedOut(let stage): "no answer \(stage.text)"
        case .tls(.untrusted): "the server's certificate is not trusted, or has expired"
        case .tls(.wrongName): "the server's certificate is for another name"
        case .tls(.notTLS): "the server does not speak TLS on this port"
        case .tls(.other(let words)): "TLS failed: \(words)"
        case .upgradeRefused(let refusal):
            "the server answered the WebSocket upgrade with status \(refusal.status)"
                + (refusal.body.isEmpty ? "" : ": \(refusal.body.prefix(200))")
        case .notHTTP(let start): "the server does not speak HTTP; it said \(start.prefix(80).debugDescription)"
        case .malformedUpgrade(let what): "the WebSocket upgrade is not right: \(what)"
        case .error(let code, let message): "the server refused: \(message)" + (code.map { " (\($0))" } ?? "")
        case .notPusher(let start): "not a Pusher server: its first message was \(start.prefix(200))"
        case .closed(let code, let reason):
            "the server closed the connection with " + (code.map { "code \($0)" } ?? "no code")
                + (reason.isEmpty ? "" : ": \(reason)")
        case .violation(let violation): "the server broke the WebSocket protocol: \(violation.reason)"
        case .silent: "the server did not answer a ping"
        case .cut(let stage, let errno):
            "the connection was lost \(stage.text)" + (errno == 0 ? "" : ": \(Self.words(errno))")
        }
    }

    private static func words(_ errno: CInt) -> String { String(cString: strerror(errno)) }
}

extension PusherClientFailure.Stage {
    fileprivate var text: String {
        switch self {
        case .connecting: "while connecting"
        case .tls: "in the TLS handshake"
        case .upgrade: "to the WebSocket upgrade"
        case .establishing: "before pusher:connection_established"
        case .established: "while it was in use"
        }
    }
}
