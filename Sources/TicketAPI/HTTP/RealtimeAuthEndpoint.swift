internal import Hummingbird
internal import PusherProtocol
internal import PusherPublisher

/// `/broadcasting/auth`, which Echo asks before it joins a private or presence channel, and `/broadcasting/user-auth`,
/// which pusher-js asks before it signs in.
struct RealtimeAuthEndpoint: Sendable {
    let authorizeChannel: AuthorizeChannel
    let authenticateUser: AuthenticateUser

    func authorize(_ call: Call, _ session: Session) async throws -> Response {
        var fields = Validator(try await call.input())
        let socketID = Self.socketID(&fields)
        let channel = fields.text("channel_name")
        try fields.finish()
        guard let socketID, let channel else { throw TicketFailure.invalid(fields.errors) }
        let grant = try await self.authorizeChannel(channel: channel, socketID: socketID, for: session)
        var members: [(name: String, value: JSON)] = [("auth", .string(grant.auth))]
        if let channelData = grant.channelData { members.append(("channel_data", .string(channelData))) }
        return .json(.ok, .object(members))
    }

    func authenticateUser(_ call: Call, _ session: Session) async throws -> Response {
        var fields = Validator(try await call.input())
        let socketID = Self.socketID(&fields)
        try fields.finish()
        guard let socketID else { throw TicketFailure.invalid(fields.errors) }
        let (auth, userData) = try await self.authenticateUser(socketID: socketID, for: session)
        return .json(.ok, ["auth": .string(auth), "user_data": .string(userData)])
    }

    private static func socketID(_ fields: inout Validator) -> String? {
        let socketID = fields.text("socket_id")
        if let socketID, socketID.utf8.count > 40 || SocketID.Reference(socketID) == nil {
            fields.add("socket_id", "The socket id field format is invalid.")
        }
        return socketID
    }
}
