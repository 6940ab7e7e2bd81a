/// Moves a reader's mark in a chat.
struct MarkRead: Sendable {
    let store: TicketStore

    /// Returns the id of the message at which the mark is now. The chat hears of it when the mark moved.
    func callAsFunction(
        ofTicket id: Int64, upTo messageID: Result<Int64, TicketFailure>, by session: Session, except socketID: String?
    ) async throws -> Int64 {
        try await self.store.write { tables in
            let user = try tables.confirmed(session)
            let ticket = try tables.visibleTicket(id, to: user)
            let messageID = try messageID.get()
            guard let chat = try tables.chat(ofTicket: ticket.id),
                let (mark, moved) = try tables.moveReadMark(of: user.id, in: chat, to: messageID)
            else {
                throw TicketFailure.invalid(ValidationErrors("message_id", "The selected message id is invalid."))
            }
            if moved { try tables.announce(mark, ofTicket: ticket.id, except: socketID) }
            return mark.messageID
        }
    }
}
