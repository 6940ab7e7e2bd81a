internal import PusherProtocol
internal import PusherPublisher

/// Signs a subscription for those who may have it.
struct AuthorizeChannel: Sendable {
    let grants: SocketGrants
    let credentials: LiveCredentials

    /// The signature, and the member's data for a presence channel.
    struct Grant: Sendable {
        let auth: String
        let channelData: String?
    }

    /// Throws `notAllowed` for a channel that is unknown or not for this user, and `unauthenticated` when the session
    /// has ended meanwhile.
    func callAsFunction(channel: String, socketID: String, for session: Session) async throws -> Grant {
        guard let known = TicketChannel(name: channel) else { throw TicketFailure.notAllowed }
        let channelData = try await self.grants(socketID: socketID, for: session) { tables, user in
            guard try Self.mayJoin(known, user, tables) else { throw TicketFailure.notAllowed }
            return known.isPresence ? user.memberData(idName: "user_id") : nil
        }
        let auth = ChannelSignature.auth(
            socketID: socketID, channel: channel, channelData: channelData, credentials: self.credentials.current)
        return Grant(auth: auth, channelData: channelData)
    }

    private static func mayJoin(_ channel: TicketChannel, _ user: User, _ tables: Tables) throws -> Bool {
        switch channel {
        case .staff: return user.isAdmin
        case .user(let id): return id == user.id
        case .chat(let id), .chatPresence(let id):
            return try tables.ticket(id).map { TicketPolicy.canSee($0, user) } ?? false
        }
    }
}
