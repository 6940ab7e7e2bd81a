import Addresses
import BrokerCore
import Logging
import PusherProtocol

/// What a connection tells at `debug`. Nothing of what a peer sent stands there but names: its channels, its app.
extension Connection {
    /// What becomes of a client, and why.
    /// - Parameter app: the id of the app of a client that was not admitted.
    func log(
        _ message: Logger.Message, app: String? = nil, code: UInt16? = nil, reason: RefusalReason? = nil,
        detail: String? = nil, channel: String? = nil
    ) {
        guard self.loop.logger.logLevel <= .debug else { return }
        var metadata: Logger.Metadata = ["address": "\(self.peer)"]
        if case .webSocket(let session) = self.state {
            metadata["app"] = "\(session.app.application.credentials.id)"
            metadata["socket_id"] = "\(session.socketID)"
        } else {
            metadata["app"] = "\(app ?? "unknown")"
        }
        if let reason {
            metadata["code"] = "\(code.map { "\($0)" } ?? "null")"
            metadata["reason"] = "\(reason.rawValue)"
        }
        metadata["detail"] = detail.map(Logger.MetadataValue.string)
        metadata["channel"] = channel.map(Logger.MetadataValue.string)
        self.loop.logger.debug(message, metadata: metadata)
    }

    /// Why a request was refused. What the answer repeats of the request is for the client alone.
    func log(_ refusal: HTTPAnswer, route: BrokerRoute) {
        self.loop.logger.debug(
            "Refuses a request",
            metadata: [
                "address": "\(self.peer)", "route": "\(route.rawValue)", "status": "\(refusal.status.rawValue)",
                "reason": "\(refusal.reason)",
            ])
    }

    /// The connection broke.
    func log(_ error: any Error) {
        self.loop.logger.debug("Connection failed", metadata: ["error": "\(error)"])
    }

    private var peer: String { self.origin.map { "\($0.address)" } ?? "unknown" }
}
