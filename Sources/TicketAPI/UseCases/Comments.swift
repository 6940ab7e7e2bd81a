internal import PusherPublisher

/// Comments on tickets, for the two audiences.
struct Comments: Sendable {
    struct Draft: Sendable {
        let content: String
        let isInternal: Bool
    }

    let store: TicketStore
    let now: @Sendable () -> Timestamp

    /// A page of the comments that this user may read, and how many of them there are.
    func list(ofTicket id: Int64, for user: User, _ page: Result<PageRequest, TicketFailure>) async throws -> JSONPage {
        try await self.store.read { tables in
            _ = try tables.visibleTicket(id, to: user)
            let page = try page.get()
            let items =
                user.isAdmin
                ? try tables.staffComments(of: id, page).map(\.staffJSON)
                : try tables.sharedComments(of: id, page).map(\.json)
            return JSONPage(
                request: page, items: items, total: try tables.commentCount(of: id, includingInternal: user.isAdmin))
        }
    }

    /// Stores a comment with its entry in the trail and its event, and returns it for its author. Only staff write
    /// internal notes. As in the chat, a customer has nothing more to say about a Closed ticket.
    func add(
        _ draft: Result<Draft, TicketFailure>, toTicket id: Int64, by session: Session, except socketID: String?
    ) async throws -> JSON {
        let now = self.now()
        return try await self.store.write { tables in
            let user = try tables.confirmed(session)
            let ticket = try tables.visibleTicket(id, to: user)
            let draft = try draft.get()
            guard TicketPolicy.canWrite(ticket, user) else { throw TicketFailure.ticketIsClosed }
            if draft.isInternal, user.isAdmin {
                let note = try tables.insertNote(draft.content, on: id, by: user.participant, now: now)
                try tables.recordComment(on: id, by: user.id, isInternal: true, now: now)
                try tables.announce(note, ofTicket: id, except: socketID)
                return note.staffJSON
            }
            let comment = try tables.insertComment(draft.content, on: id, by: user.participant, now: now)
            try tables.recordComment(on: id, by: user.id, isInternal: false, now: now)
            try tables.announce(comment, ofTicket: id, except: socketID)
            return comment.json
        }
    }
}
