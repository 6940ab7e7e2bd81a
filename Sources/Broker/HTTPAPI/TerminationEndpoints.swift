import PusherProtocol

/// `POST /apps/{id}/terminate_connections` and `…/channels/{channel}/terminate_subscriptions`: no part of the protocol.
///
/// When they are answered, nothing that is published later reaches those concerned (decision 16).
extension APIRequest {
    /// Closes connections, of which some or all may have gone.
    func terminateConnections(_ body: UnsafeRawBufferPointer) throws(RequestRejection) -> HTTPAnswer {
        let request = try self.decode(body) { (bytes) throws(RequestRejection) in
            try TerminationRequest(decoding: bytes, limits: self.limits)
        }
        if !request.sockets.isEmpty {
            self.app.hub.terminate(request.sockets, with: request.reconnects ? .terminatedForNow : .terminated)
        }
        return .emptyObject
    }

    /// Ends all subscriptions to a channel; the connections stay, and cannot subscribe to it again.
    func terminateSubscriptions(toChannel name: String) throws(RequestRejection) -> HTTPAnswer {
        let channel = try self.channel(name)
        guard channel.kind != .user else { throw .badRequest("A user channel ends with its user's connections") }
        self.app.hub.terminateSubscriptions(to: channel)
        return .emptyObject
    }
}
