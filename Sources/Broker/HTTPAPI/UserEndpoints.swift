import PusherProtocol

/// `POST /apps/{id}/users/{user_id}/terminate_connections` (8.10 of the protocol facts).
extension APIRequest {
    /// Closes what a user has, which may be nothing.
    func terminate(user segment: String) throws(RequestRejection) -> HTTPAnswer {
        guard let id = QueryParameters.percentDecoded(segment), !id.isEmpty else { throw .badRequest("Invalid user id") }
        return .emptyObject
    }
}
