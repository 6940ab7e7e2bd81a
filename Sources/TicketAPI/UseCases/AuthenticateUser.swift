internal import PusherProtocol
internal import PusherPublisher

/// Signs who a user is, for the sign-in of a connection.
struct AuthenticateUser: Sendable {
    let credentials: LiveCredentials

    func callAsFunction(socketID: String, for user: User) -> (auth: String, userData: String) {
        let userData = user.memberData(idName: "id")
        let auth = ChannelSignature.userAuth(
            socketID: socketID, userData: userData, credentials: self.credentials.current)
        return (auth, userData)
    }
}
