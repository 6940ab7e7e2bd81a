/// Opens a ticket for whoever asks.
struct OpenTicket: Sendable {
    let store: TicketStore
    let files: AttachmentFiles
    let now: @Sendable () -> Timestamp

    func callAsFunction(_ draft: TicketDraft, by session: Session) async throws -> TicketView {
        let now = self.now()
        return try await self.files.keeping(draft.attachments) {
            try await self.store.write { tables in
                let user = try tables.confirmed(session)
                let ticket = try tables.insertTicket(draft, owner: user.participant, now: now)
                let attachments = try tables.insertAttachments(draft.attachments, ofTicket: ticket.id, now: now)
                try tables.recordOpening(of: ticket)
                try tables.announce(.ticketCreated, ticket)
                return TicketView(ticket: ticket, comments: 0, messages: 0, unread: 0, attachments: attachments)
            }
        }
    }
}
