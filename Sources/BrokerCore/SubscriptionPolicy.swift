package import PusherProtocol

/// What a connection that may subscribe becomes.
package struct Admission: Equatable, Sendable {
    package let channel: ChannelName
    /// Who joins, on a presence channel.
    package let member: PresenceMember?

    package init(channel: ChannelName, member: PresenceMember?) {
        self.channel = channel
        self.member = member
    }
}

/// Why a subscription is refused, and how the client is told: an error on the connection, and for what its own error
/// handlers wait for, an error on the channel (2.4 of the protocol facts).
package struct SubscriptionRefusal: Error, Equatable, Sendable {
    /// What the channel's `pusher:subscription_error` says.
    package enum Kind: Equatable, Sendable {
        /// Type `AuthError`, status 401.
        case authentication
        /// Type `LimitReached`, status 4100.
        case limit
        /// Type `ServerError`, status 400: the request itself is malformed.
        case malformed
        /// Type `AuthError`, status 410: the app has ended the subscription.
        case terminated
    }

    package let kind: Kind
    package let channel: String
    package let error: ProtocolError

    package init(_ kind: Kind, channel: String, error: ProtocolError) {
        self.kind = kind
        self.channel = channel
        self.error = error
    }

    /// What becomes of a subscription that the app has ended, and of another try on the same connection.
    package static func terminated(_ channel: ChannelName) -> SubscriptionRefusal {
        SubscriptionRefusal(.terminated, channel: channel.text, error: .subscriptionTerminated(channel.text))
    }

    /// The frame on the channel.
    package var channelFrame: [UInt8] {
        let (type, status) =
            switch self.kind {
            case .authentication: ("AuthError", 401)
            case .limit: ("LimitReached", 4100)
            case .malformed: ("ServerError", 400)
            case .terminated: ("AuthError", 410)
            }
        return ServerFrame.subscriptionError(
            channel: self.channel, type: type, error: self.error.message, status: status)
    }
}

/// May this connection subscribe? Names, signatures and `channel_data` (section 3 of the protocol facts).
package enum SubscriptionPolicy {
    /// - Parameter user: who is signed in on the connection.
    package static func admit(
        _ request: SubscribeRequest, socketID: SocketID, user: UserData?, application: Application
    ) throws(SubscriptionRefusal) -> Admission {
        let (credentials, limits) = (application.credentials, application.limits)
        guard let channel = ChannelName(request.channel, limit: limits.channelName) else {
            let shown = String(request.channel.unicodeScalars.prefix(200))
            throw SubscriptionRefusal(.malformed, channel: shown, error: .invalidChannelName(shown))
        }
        do throws(ProtocolError) {
            switch channel.kind {
            case .public: return Admission(channel: channel, member: nil)
            case .watchers: throw ProtocolError.invalidChannelName(channel.text)
            case .user:
                guard channel == user?.channel else { throw ProtocolError.userChannelRefused(channel.text) }
                return Admission(channel: channel, member: nil)
            case .private, .encrypted:
                try self.checkSignature(request, channel: channel, socketID: socketID, credentials: credentials)
                return Admission(channel: channel, member: nil)
            case .presence:
                try self.checkSignature(request, channel: channel, socketID: socketID, credentials: credentials)
                return Admission(channel: channel, member: try self.member(request, user: user, limits: limits))
            }
        } catch {
            throw SubscriptionRefusal(.authentication, channel: channel.text, error: error)
        }
    }

    /// Who joins: whoever `channel_data` says, else the signed-in user (P81, P82).
    private static func member(
        _ request: SubscribeRequest, user: UserData?, limits: Limits
    ) throws(ProtocolError) -> PresenceMember {
        if let channelData = request.channelData {
            return try PresenceMember(channelData: channelData, limits: limits)
        }
        guard let user else { throw .invalidChannelData("it is missing, and the connection is not signed in") }
        return try PresenceMember(user: user, limits: limits)
    }

    private static func checkSignature(
        _ request: SubscribeRequest, channel: ChannelName, socketID: SocketID, credentials: AppCredentials
    ) throws(ProtocolError) {
        guard let auth = request.auth, !auth.isEmpty else { throw .authMissing(channel.text) }
        let text = ChannelSignature.stringToSign(
            socketID: socketID.description, channel: channel.text, channelData: request.channelData)
        do {
            try ChannelSignature.verify(auth, signs: text, credentials: credentials)
        } catch {
            switch error {
            case .malformed: throw .authMalformed(channel.text)
            case .wrongKey: throw .authWrongKey(String(auth.prefix { $0 != ":" }))
            case .wrongSignature: throw .authWrongSignature(stringToSign: text)
            }
        }
    }
}
