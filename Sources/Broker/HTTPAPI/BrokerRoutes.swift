import BrokerCore
import PusherProtocol
import Wire

/// The endpoints of the broker's port (section 8 of the protocol facts).
enum BrokerRoutes {
    enum Match {
        /// Known before any body has arrived: an error, or something that needs none.
        case answer(HTTPAnswer)
        case upgrade(HTTPRequestHead.WebSocketUpgrade, key: String)
        /// A request that is signed rightly; its body decides the rest.
        case endpoint(Endpoint)
    }

    /// One verified request, ready for its body.
    struct Endpoint {
        let call: Call
        let app: ServedApp
        let query: QueryParameters
        /// The MD5 that the body must have; nil when it must be empty.
        let bodyDigest: String?

        func answer(body: [UInt8]) -> HTTPAnswer {
            do throws(RequestSignature.Refusal) {
                try RequestSignature.verify(body: body, digest: self.bodyDigest)
            } catch {
                return HTTPAnswer(.unauthorized, text: error.description)
            }
            guard self.call.method == "GET" || !self.app.hub.isOverloaded else {
                return HTTPAnswer(.serviceUnavailable, text: "The server is behind with deliveries; try again")
                    .adding("Retry-After: 1\r\n")
            }
            do throws(RequestRejection) {
                return try self.carryOut(body: body)
            } catch {
                return HTTPAnswer(HTTPAnswer.Status(rawValue: error.status) ?? .badRequest, text: error.message)
            }
        }

        private func carryOut(body: [UInt8]) throws(RequestRejection) -> HTTPAnswer {
            switch self.call {
            case .events: try TriggerEndpoints.trigger(body, app: self.app)
            case .batchEvents: try TriggerEndpoints.triggerBatch(body, app: self.app)
            case .channels: try ChannelEndpoints.list(self.query, app: self.app)
            case .channel(let name): try ChannelEndpoints.show(name, self.query, app: self.app)
            case .users(let name): try ChannelEndpoints.users(name, app: self.app)
            }
        }
    }

    /// What a path under `/apps/{id}` asks for.
    enum Call: Equatable {
        case events
        case batchEvents
        case channels
        case channel(String)
        case users(String)

        init?(_ path: Substring) {
            switch path {
            case "events": self = .events
            case "batch_events": self = .batchEvents
            case "channels": self = .channels
            default:
                let segments = path.split(separator: "/", omittingEmptySubsequences: false)
                guard segments.first == "channels" else { return nil }
                switch segments.count {
                case 2: self = .channel(String(segments[1]))
                case 3 where segments[2] == "users": self = .users(String(segments[1]))
                default: return nil
                }
            }
        }

        var method: String {
            switch self {
            case .events, .batchEvents: "POST"
            case .channels, .channel, .users: "GET"
            }
        }
    }

    static func match(_ head: HTTPRequestHead, loop: LoopContext) -> Match {
        if let key = ConnectionAdmission.key(inPath: head.path) { return self.matchSocket(head, key: key) }
        if head.path == "/up" { return .answer(self.up(head)) }
        guard let (app, path) = self.splitAppPath(head.path), let call = Call(path) else {
            return .answer(HTTPAnswer(.notFound, text: "Not found"))
        }
        return self.matchCall(call, app: app, head: head, loop: loop)
    }

    /// `/apps/{id}/{rest}`.
    private static func splitAppPath(_ path: String) -> (app: String, rest: Substring)? {
        let prefix = "/apps/".utf8
        guard path.utf8.starts(with: prefix) else { return nil }
        let tail = path.utf8.dropFirst(prefix.count)
        guard let slash = tail.firstIndex(of: UInt8(ascii: "/")) else { return nil }
        return (String(Substring(tail[..<slash])), path[tail.index(after: slash)...])
    }

    private static func matchSocket(_ head: HTTPRequestHead, key: String) -> Match {
        guard head.method == "GET" else { return .answer(self.methodNotAllowed("GET")) }
        guard let upgrade = head.webSocket else {
            let text =
                "This is a WebSocket endpoint. If a proxy stands in front, it must pass on Upgrade and Connection."
            return .answer(
                HTTPAnswer(.upgradeRequired, text: text).adding("Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"))
        }
        return .upgrade(upgrade, key: key)
    }

    private static func matchCall(_ call: Call, app: String, head: HTTPRequestHead, loop: LoopContext) -> Match {
        guard head.method == call.method else { return .answer(self.methodNotAllowed(call.method)) }
        guard let app = loop.apps.app(id: app) else {
            return .answer(HTTPAnswer(.notFound, text: "No app with this id exists on this server"))
        }
        guard let query = QueryParameters(head.query) else {
            return .answer(HTTPAnswer(.badRequest, text: "Query string is malformed"))
        }
        do throws(RequestSignature.Refusal) {
            let digest = try RequestSignature.verify(
                method: head.method, path: head.path, query: query, now: loop.configuration.wallClock(),
                credentials: app.application.credentials)
            guard app.application.isEnabled else {
                return .answer(HTTPAnswer(.forbidden, text: "This app is disabled"))
            }
            return .endpoint(Endpoint(call: call, app: app, query: query, bodyDigest: digest))
        } catch {
            return .answer(HTTPAnswer(.unauthorized, text: error.description))
        }
    }

    private static func up(_ head: HTTPRequestHead) -> HTTPAnswer {
        guard head.method == "GET" || head.method == "HEAD" else { return self.methodNotAllowed("GET, HEAD") }
        return HTTPAnswer(json: Array(#"{"status":"up"}"#.utf8))
    }

    private static func methodNotAllowed(_ allowed: String) -> HTTPAnswer {
        HTTPAnswer(.methodNotAllowed, text: "Method not allowed").adding("Allow: \(allowed)\r\n")
    }
}
