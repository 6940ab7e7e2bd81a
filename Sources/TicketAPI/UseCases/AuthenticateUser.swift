internal import PusherProtocol
internal import PusherPublisher

/// Signs who a user is, for the sign-in of a connection.
struct AuthenticateUser: Sendable {
    let grants: SocketGrants
    let credentials: LiveCredentials

    /// Throws `unauthenticated` when the session has ended meanwhile.
    func callAsFunction(socketID: String, for session: Session) async throws -> (auth: String, userData: String) {
        let userData = try await self.grants(socketID: socketID, for: session) { _, user in
            user.memberData(idName: "id")
        }
        let auth = ChannelSignature.userAuth(
            socketID: socketID, userData: userData, credentials: self.credentials.current)
        return (auth, userData)
    }
}
