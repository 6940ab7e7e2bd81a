import PusherProtocol

/// `POST /apps/{id}/users/{user_id}/terminate_connections` (8.10 of the protocol facts).
extension APIRequest {
    /// Closes the connections that are signed in as a user, which may be none (P148).
    func terminate(user segment: String) throws(RequestRejection) -> HTTPAnswer {
        guard let user = QueryParameters.percentDecoded(segment).flatMap(ChannelName.init(user:)) else {
            throw .badRequest("Invalid user id")
        }
        self.app.hub.terminate(user)
        return .emptyObject
    }
}
