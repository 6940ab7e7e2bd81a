internal import PusherProtocol
internal import PusherPublisher

/// Signs a subscription for those who may have it.
struct AuthorizeChannel: Sendable {
    let store: TicketStore
    let credentials: LiveCredentials

    /// The signature, and the member's data for a presence channel.
    struct Grant: Sendable {
        let auth: String
        let channelData: String?
    }

    /// Throws `notAllowed` for a channel that is unknown or not for this user.
    func callAsFunction(channel: String, socketID: String, for user: User) async throws -> Grant {
        guard let known = TicketChannel(name: channel), try await self.mayJoin(known, user) else {
            throw TicketFailure.notAllowed
        }
        let channelData = known.isPresence ? user.memberData(idName: "user_id") : nil
        let auth = ChannelSignature.auth(
            socketID: socketID, channel: channel, channelData: channelData, credentials: self.credentials.current)
        return Grant(auth: auth, channelData: channelData)
    }

    private func mayJoin(_ channel: TicketChannel, _ user: User) async throws -> Bool {
        switch channel {
        case .tickets, .ticketsPresence: return user.isAdmin
        case .user(let id): return id == user.id
        case .chat(let id), .chatPresence(let id):
            let ticket = try await self.store.read { try $0.ticket(id) }
            return ticket.map { TicketPolicy.canSee($0, user) } ?? false
        }
    }
}
