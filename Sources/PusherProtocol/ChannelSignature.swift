internal import Digests

/// The signatures that an application makes for its users, and that the broker checks (3.7 and 5.1 of the protocol
/// facts): `{key}:{hex HMAC-SHA256(secret, string to sign)}`.
package enum ChannelSignature {
    /// `{socket_id}:{channel}`, and `:{channel_data}` behind it when there is one, exactly as it travels.
    package static func stringToSign(socketID: String, channel: String, channelData: String?) -> String {
        channelData.map { "\(socketID):\(channel):\($0)" } ?? "\(socketID):\(channel)"
    }

    /// `{socket_id}::user::{user_data}`, with `user_data` exactly as it travels.
    package static func userStringToSign(socketID: String, userData: String) -> String {
        "\(socketID)::user::\(userData)"
    }

    /// The `auth` value of a subscription to a private or presence channel.
    package static func auth(
        socketID: String, channel: String, channelData: String?, credentials: AppCredentials
    ) -> String {
        let text = self.stringToSign(socketID: socketID, channel: channel, channelData: channelData)
        return "\(credentials.key):\(credentials.secret.sign(text).hex)"
    }

    /// The `auth` value of `pusher:signin`.
    package static func userAuth(socketID: String, userData: String, credentials: AppCredentials) -> String {
        let text = self.userStringToSign(socketID: socketID, userData: userData)
        return "\(credentials.key):\(credentials.secret.sign(text).hex)"
    }

    /// Why an `auth` value was not accepted.
    package enum Refusal: Error, Equatable {
        /// Not of the form `key:signature` (P53).
        case malformed
        /// The key half is not the app's key.
        case wrongKey
        /// The signature is not the one of this string, in lower-case hexadecimal (P50 to P54).
        case wrongSignature
    }

    /// Checks an `auth` value against the string it should sign, in constant time.
    package static func verify(_ auth: String, signs text: String, credentials: AppCredentials) throws(Refusal) {
        guard let colon = auth.utf8.firstIndex(of: UInt8(ascii: ":")) else { throw .malformed }
        guard auth[..<colon] == credentials.key else { throw .wrongKey }
        let signature = String(auth[auth.utf8.index(after: colon)...])
        guard credentials.accepts(signature, asSignatureOf: text) else { throw .wrongSignature }
    }
}
