/// What a WebSocket client is told when something is wrong (section 2 of the protocol facts).
package struct ProtocolError: Error, Equatable, Sendable {
    /// The number in the `pusher:error` event; nil for `null`.
    package let code: UInt16?
    /// What is wrong, as one word that stays the same.
    package let reason: RefusalReason
    package let message: String

    private init(_ code: UInt16?, _ reason: RefusalReason, _ message: String) {
        self.code = code
        self.reason = reason
        self.message = message
    }

    /// Whether the connection is closed behind the event, with the same code.
    ///
    /// 4301 and 4302 are events only: as close codes they would stop pusher-js for good.
    package var isFatal: Bool { self.code.map { $0 < 4300 } ?? false }

    /// As much of a client's text as is repeated to it. Counted in scalars: one `Character` can be of any length.
    private static func beginning(of text: String, _ count: Int) -> Substring {
        Substring(text.unicodeScalars.prefix(count))
    }

    // Refusals of a connection.
    package static let tlsRequired = ProtocolError(
        4000, .tlsRequired, "Application only accepts TLS connections; use wss")
    package static func unknownKey(_ key: String) -> ProtocolError {
        ProtocolError(
            4001, .unknownKey,
            "App key \(self.beginning(of: key, 64)) does not exist on this server. Check the key and the host.")
    }
    package static let applicationDisabled = ProtocolError(4003, .applicationDisabled, "Application is disabled")
    package static let overQuota = ProtocolError(4004, .overQuota, "Application is over its connection quota")
    package static let malformedVersion = ProtocolError(4006, .malformedVersion, "Protocol version is not a number")
    package static let unsupportedVersion = ProtocolError(
        4007, .unsupportedVersion, "Protocol version is not supported; this server speaks 5, 6 and 7")
    package static let originNotAllowed = ProtocolError(4009, .originNotAllowed, "Origin not allowed")
    package static let overCapacity = ProtocolError(4100, .overCapacity, "Server is over capacity, please try again")
    package static let tooManyFromAddress = ProtocolError(
        4100, .tooManyFromAddress, "Too many connections from this network address, please try again")

    // Ends of a connection.
    package static let notAuthorizedInTime = ProtocolError(
        4009, .notAuthorizedInTime, "Connection not authorized within timeout")
    package static let terminated = ProtocolError(4009, .terminated, "You got disconnected by the app.")
    package static let terminatedForNow = ProtocolError(
        4200, .terminatedForNow, "You got disconnected by the app, please reconnect")
    package static let slowConsumer = ProtocolError(4100, .slowConsumer, "Client does not read fast enough")
    package static let shuttingDown = ProtocolError(4200, .shuttingDown, "Server is shutting down, please reconnect")
    package static let pongMissing = ProtocolError(4201, .pongMissing, "Pong reply not received")

    // Messages that were not carried out; the connection stays.
    package static let notAFrame = ProtocolError(nil, .notAFrame, "Invalid message: not a JSON object with an event")
    package static let binaryMessage = ProtocolError(
        nil, .binaryMessage, "Invalid message: binary messages are not supported")
    package static func unsupportedEvent(_ name: String) -> ProtocolError {
        ProtocolError(nil, .unsupportedEvent, "Unsupported event received on socket: \(self.beginning(of: name, 200))")
    }
    package static let channelMissing = ProtocolError(nil, .channelMissing, "Invalid message: channel is missing")
    package static func invalidChannelName(_ name: String) -> ProtocolError {
        ProtocolError(nil, .invalidChannelName, "Invalid channel name: \(self.beginning(of: name, 200))")
    }
    package static func tooManyChannels(_ limit: Int) -> ProtocolError {
        ProtocolError(nil, .tooManyChannels, "A connection may be subscribed to \(limit) channels")
    }
    package static func authMissing(_ channel: String) -> ProtocolError {
        ProtocolError(nil, .authMissing, "Auth info required to subscribe to \(channel)")
    }
    package static func authMalformed(_ channel: String) -> ProtocolError {
        ProtocolError(
            nil, .authMalformed,
            "Auth value for subscription to \(channel) is invalid: should be of format 'key:signature'")
    }
    package static func authWrongKey(_ key: String) -> ProtocolError {
        ProtocolError(nil, .authWrongKey, "Invalid key in subscription auth data: '\(self.beginning(of: key, 64))'")
    }
    package static func authWrongSignature(stringToSign: String) -> ProtocolError {
        ProtocolError(
            nil, .authWrongSignature,
            "Invalid signature: Expected HMAC SHA256 hex digest of \(self.beginning(of: stringToSign, 500))")
    }
    package static func invalidChannelData(_ reason: String) -> ProtocolError {
        ProtocolError(nil, .invalidChannelData, "Invalid channel_data: \(reason)")
    }
    package static func presenceFull(_ limit: Int) -> ProtocolError {
        ProtocolError(nil, .presenceFull, "The channel has reached its limit of \(limit) members")
    }
    package static func userChannelRefused(_ channel: String) -> ProtocolError {
        ProtocolError(nil, .userChannelRefused, "Only the signed-in user may subscribe to \(channel)")
    }
    package static func subscriptionTerminated(_ channel: String) -> ProtocolError {
        ProtocolError(nil, .subscriptionTerminated, "The app has ended the subscription to \(channel)")
    }
    // Sign-in (5.1 and 5.4). A refused one leaves the connection as it was: a close would keep pusher-js away for good.
    package static let signInIncomplete = ProtocolError(
        nil, .signInIncomplete, "Invalid sign-in: must contain auth and user_data")
    package static let signInAuthMalformed = ProtocolError(
        nil, .signInAuthMalformed, "Auth value for sign-in is invalid: should be of format 'key:signature'")
    package static func signInWrongKey(_ key: String) -> ProtocolError {
        ProtocolError(nil, .signInWrongKey, "Invalid key in sign-in auth data: '\(self.beginning(of: key, 64))'")
    }
    package static func invalidUserData(_ reason: String) -> ProtocolError {
        ProtocolError(nil, .invalidUserData, "Invalid user_data: \(reason)")
    }
    package static let signedInAsAnother = ProtocolError(
        nil, .signedInAsAnother, "The connection is signed in as another user")
    package static func watchlistCut(_ limit: Int) -> ProtocolError {
        ProtocolError(4302, .watchlistCut, "Watchlist is over \(limit) users; the first \(limit) are watched")
    }

    package static func notSubscribed(_ channel: String) -> ProtocolError {
        ProtocolError(
            nil, .notSubscribed,
            "No current subscription to channel \(self.beginning(of: channel, 200)), or subscription in progress")
    }

    // Client events (4.2).
    package static let clientEventsDisabled = ProtocolError(
        nil, .clientEventsDisabled,
        "To send client events, you must enable this feature for the app (PUSHER_APP_CLIENT_EVENTS)")
    package static let clientEventIncomplete = ProtocolError(
        nil, .clientEventIncomplete, "Invalid client event (must contain channel and data)")
    package static func clientEventNotSubscribed(_ channel: String) -> ProtocolError {
        ProtocolError(
            nil, .clientEventNotSubscribed,
            "Cannot broadcast client event (connection not subscribed to channel \(self.beginning(of: channel, 200)))")
    }
    package static let clientEventWrongChannel = ProtocolError(
        nil, .clientEventWrongChannel, "Client events are only possible on private and presence channels")
    package static let clientEventOverload = ProtocolError(
        4301, .clientEventOverload, "Client event rejected: the server is behind with deliveries")
    package static let clientEventRate = ProtocolError(
        4301, .clientEventRate, "Client event rejected: too many client events in a second")
    package static func clientEventTooBig(_ limit: Int) -> ProtocolError {
        ProtocolError(4301, .clientEventTooBig, "Client event rejected: data is over \(limit) bytes")
    }
    package static func clientEventNameTooLong(_ limit: Int) -> ProtocolError {
        ProtocolError(4301, .clientEventNameTooLong, "Client event rejected: event name is over \(limit) characters")
    }
}
