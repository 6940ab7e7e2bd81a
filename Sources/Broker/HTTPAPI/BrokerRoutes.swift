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
        case request(APIRequest)
    }

    static func match(_ head: HTTPRequestHead, loop: LoopContext) -> (BrokerRoute, Match) {
        if let key = ConnectionAdmission.key(inPath: head.path) {
            return (.webSocket, self.matchSocket(head, key: key))
        }
        if head.path == "/up" { return (.up, .answer(self.up(head))) }
        guard let (app, call) = APICall.parse(head.path) else {
            return (.other, .answer(HTTPAnswer(.notFound, text: "Not found")))
        }
        return (BrokerRoute(call), self.matchCall(call, app: app, head: head, loop: loop))
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

    private static func matchCall(
        _ call: APICall, app: APICall.AppReference, head: HTTPRequestHead, loop: LoopContext
    ) -> Match {
        guard call.isAllowed(method: head.method) else { return .answer(self.methodNotAllowed(call.allowed)) }
        guard let query = QueryParameters(head.query) else {
            return .answer(HTTPAnswer(.badRequest, text: "Query string is malformed"))
        }
        let served: ServedApp
        switch app {
        case .id(let id):
            guard let app = loop.apps.app(id: id) else {
                return .answer(HTTPAnswer(.notFound, text: "No app with this id exists on this server"))
            }
            served = app
        case .authKey:
            guard let app = query["auth_key"].flatMap(loop.apps.app(key:)) else {
                return .answer(HTTPAnswer(.unauthorized, text: "auth_key is not the key of an app on this server"))
            }
            served = app
        }
        do throws(RequestSignature.Refusal) {
            let digest = try RequestSignature.verify(
                method: head.method, path: head.path, query: query, now: loop.configuration.wallClock(),
                credentials: served.application.credentials)
            guard served.application.isEnabled else {
                return .answer(HTTPAnswer(.forbidden, text: "This app is disabled"))
            }
            return .request(APIRequest(call: call, app: served, query: query, bodyDigest: digest, loop: loop))
        } catch {
            return .answer(HTTPAnswer(error))
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
