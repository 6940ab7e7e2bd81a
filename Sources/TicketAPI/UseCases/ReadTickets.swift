/// Shows tickets and their chats to those who may see them.
struct ReadTickets: Sendable {
    let store: TicketStore

    func list(_ query: TicketQuery, for user: User) async throws -> (page: [TicketView], total: Int64) {
        var query = query
        query.visibleTo = user.isAdmin ? nil : user.id
        return try await self.store.read { [query] in try $0.tickets(query, reader: user) }
    }

    func show(_ id: Int64, to session: Session) async throws -> TicketView {
        try await self.store.read { tables in
            let user = try tables.confirmed(session)
            guard let view = try tables.ticketView(id, reader: user), TicketPolicy.canSee(view.ticket, user) else {
                throw TicketFailure.notFound
            }
            return view
        }
    }

    /// Throws `notFound` unless the ticket exists for this user.
    func admit(_ user: User, toTicket id: Int64) async throws {
        _ = try await self.store.read { try $0.visibleTicket(id, to: user) }
    }

    /// The attachment of a ticket or of a message in its chat. Throws `notFound` when the user may not see the ticket.
    func attachment(_ id: Int64, for user: User) async throws -> StoredAttachment {
        try await self.store.read { tables in
            guard let stored = try tables.storedAttachment(id) else { throw TicketFailure.notFound }
            _ = try tables.visibleTicket(stored.ticketID, to: user)
            return stored
        }
    }

    /// A page of the ticket's chat. The first look opens the chat.
    func chat(
        ofTicket id: Int64, for user: User, position: Result<ChatPosition, TicketFailure>
    ) async throws -> ChatPage {
        let page = try await self.store.read { tables -> ChatPage? in
            let ticket = try tables.visibleTicket(id, to: user)
            let position = try position.get()
            guard let chat = try tables.chat(ofTicket: ticket.id), chat.adminID != nil else { return nil }
            return try tables.messages(in: chat, position)
        }
        if let page { return page }
        return try await self.store.write { tables in
            let chat = try tables.openChat(of: tables.visibleTicket(id, to: user))
            return try tables.messages(in: chat, position.get())
        }
    }
}

/// Which part of a chat.
struct ChatPosition: Sendable {
    /// Only messages with a smaller id.
    var before: Int64?
    /// Only messages with a greater id.
    var after: Int64?
    /// 1…200.
    var limit: Int64 = 50
}

extension Tables {
    /// The ticket. Throws `notFound` when it does not exist for this user.
    func visibleTicket(_ id: Int64, to user: User) throws -> Ticket {
        guard let ticket = try self.ticket(id), TicketPolicy.canSee(ticket, user) else {
            throw TicketFailure.notFound
        }
        return ticket
    }
}
