import Addresses
import BrokerCore
import Digests
import NIOCore
import PusherProtocol
import Wire

/// The opening handshake (RFC 6455 section 4.2) and the admission of a client.
///
/// A well-formed handshake succeeds even when the client is refused: browsers do not show the status of a failed one,
/// so the refusal is an error event and a close code (1.3 of the protocol facts, P10).
enum WebSocketUpgrade {
    /// Answers the handshake; nil when it was one, else the answer to a malformed one.
    static func perform(
        _ head: HTTPRequestHead, _ upgrade: HTTPRequestHead.WebSocketUpgrade, key: String, connection: Connection
    ) -> HTTPAnswer? {
        guard upgrade.version == "13" else {
            return HTTPAnswer(.upgradeRequired, text: "Only version 13 of the WebSocket protocol is spoken here")
                .adding("Sec-WebSocket-Version: 13\r\n")
        }
        guard let nonce = upgrade.key, self.isNonce(nonce) else {
            return HTTPAnswer(.badRequest, text: "Sec-WebSocket-Key is missing or malformed")
        }
        guard head.body == .length(0) else {
            return HTTPAnswer(.badRequest, text: "A WebSocket handshake has no body")
        }
        connection.loop.replies.writeString(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ")
        connection.loop.replies.writeString(SHA1.webSocketAccept(nonce))
        connection.loop.replies.writeString("\r\n\r\n")

        connection.loop.counts.answered(.webSocket, status: 101)
        connection.identify(head)
        do throws(ProtocolError) {
            let app = try self.admit(head, key: key, connection: connection)
            let session = PusherSession(
                app: app, maxMessageBytes: connection.loop.configuration.maxMessageBytes, now: connection.loop.now)
            guard connection.loop.addresses.admit(session.socketID, at: connection.origin?.address) else {
                app.hub.releaseConnection()
                connection.loop.quota.release()
                throw .tooManyFromAddress
            }
            connection.state = .webSocket(session)
            session.begin(connection: connection)
        } catch {
            connection.close(with: error, app: connection.loop.apps.app(key: key)?.application.credentials.id)
        }
        return nil
    }

    private static func admit(
        _ head: HTTPRequestHead, key: String, connection: Connection
    ) throws(ProtocolError) -> ServedApp {
        let loop = connection.loop
        try ConnectionAdmission.checkVersion(QueryParameters(head.query))
        guard let app = loop.apps.app(key: key) else { throw .unknownKey(key) }
        guard app.application.isEnabled else { throw .applicationDisabled }
        guard !app.application.requiresTLS || connection.origin?.usesTLS == true else { throw .tlsRequired }
        try ConnectionAdmission.checkOrigin(head.origin, of: app.application)
        guard !loop.isShuttingDown else { throw .shuttingDown }
        guard app.hub.admitConnection(to: app.application) else { throw .overQuota }
        guard loop.quota.admit() else {
            app.hub.releaseConnection()
            throw .overCapacity
        }
        return app
    }

    /// Sixteen bytes in Base64.
    private static func isNonce(_ text: String) -> Bool {
        text.utf8.count == 24 && text.utf8.suffix(2).elementsEqual("==".utf8)
            && text.utf8.dropLast(2).allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "+"), UInt8(ascii: "/"):
                    true
                default: false
                }
            }
    }
}
