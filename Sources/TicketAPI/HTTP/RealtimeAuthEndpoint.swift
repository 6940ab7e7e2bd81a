internal import Hummingbird
internal import PusherProtocol
internal import PusherPublisher

/// `/broadcasting/auth`, which Echo asks before it joins a private or presence channel.
struct RealtimeAuthEndpoint: Sendable {
    let authorizeChannel: AuthorizeChannel

    func authorize(_ call: Call, _ session: Session) async throws -> Response {
        var fields = Validator(try await call.input())
        let socketID = fields.text("socket_id")
        if let socketID, socketID.utf8.count > 40 || SocketID.Reference(socketID) == nil {
            fields.add("socket_id", "The socket id field format is invalid.")
        }
        let channel = fields.text("channel_name")
        try fields.finish()
        guard let socketID, let channel else { throw TicketFailure.invalid(fields.errors) }
        let grant = try await self.authorizeChannel(channel: channel, socketID: socketID, for: session)
        var members: [(name: String, value: JSON)] = [("auth", .string(grant.auth))]
        if let channelData = grant.channelData { members.append(("channel_data", .string(channelData))) }
        return .json(.ok, .object(members))
    }
}
