package import PusherProtocol

/// May this connection sign in? (5.1 of the protocol facts)
package enum SignInPolicy {
    /// - Parameter current: who is signed in on the connection already.
    package static func admit(
        _ request: SignInRequest, socketID: SocketID, current: UserData?, application: Application
    ) throws(ProtocolError) -> UserData {
        guard let auth = request.auth, let userData = request.userData else { throw .signInIncomplete }
        let text = ChannelSignature.userStringToSign(socketID: socketID.description, userData: userData)
        do {
            try ChannelSignature.verify(auth, signs: text, credentials: application.credentials)
        } catch {
            switch error {
            case .malformed: throw .signInAuthMalformed
            case .wrongKey: throw .signInWrongKey(String(auth.prefix { $0 != ":" }))
            case .wrongSignature: throw .authWrongSignature(stringToSign: text)
            }
        }
        let user = try UserData(userData, limits: application.limits)
        guard current == nil || current?.id == user.id else { throw .signedInAsAnother }
        return user
    }
}
