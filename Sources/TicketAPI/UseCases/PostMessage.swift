internal import Digests
internal import PusherPublisher

/// Posts to a ticket's chat: the message, the event that tells of it, and the answer to the client's key are one
/// transaction.
///
/// A second request with the same key waits for the first by itself, because writes happen one after another.
struct PostMessage: Sendable {
    struct Command: Sendable {
        let ticketID: Int64
        let content: Result<String, TicketFailure>
        /// The connection that is left out of the broadcast.
        let socketID: String?
        let idempotencyKey: String?
    }

    /// A key is remembered for a day.
    private static let keyLifetimeSeconds: Int64 = 24 * 3600

    let store: TicketStore
    let now: @Sendable () -> Timestamp

    /// The JSON text of the answer, and whether it is an earlier one again.
    func callAsFunction(_ command: Command, by session: Session) async throws -> (answer: String, isReplay: Bool) {
        let now = self.now()
        return try await self.store.write { tables in
            let user = try tables.confirmed(session)
            let ticket = try tables.visibleTicket(command.ticketID, to: user)
            let content = try command.content.get()
            guard let text = command.idempotencyKey else {
                return (try tables.post(content, to: ticket, by: user, except: command.socketID, now: now), false)
            }
            let key = IdempotencyKey(userID: user.id, ticketID: ticket.id, text: text)
            let hash = Array(SHA256.digest(content))
            let expiry = now.advanced(bySeconds: -Self.keyLifetimeSeconds)
            if let first = try tables.answer(to: key, since: expiry) {
                guard first.contentHash == hash else {
                    throw TicketFailure.invalid(
                        ValidationErrors("idempotency_key", "The idempotency key was used for another message."))
                }
                return (first.answer, true)
            }
            let answer = try tables.post(content, to: ticket, by: user, except: command.socketID, now: now)
            try tables.keepAnswer(answer, to: key, contentHash: hash, now: now, expiry: expiry)
            return (answer, false)
        }
    }
}

extension Tables {
    /// Stores the message with its event and returns the answer to its sender.
    fileprivate func post(
        _ content: String, to ticket: Ticket, by user: User, except socketID: String?, now: Timestamp
    ) throws -> String {
        guard TicketPolicy.canWrite(ticket, user) else {
            throw TicketFailure.invalid(ValidationErrors("ticket", "The ticket is closed."))
        }
        let chat = try self.openChat(of: ticket)
        let message = try self.insertMessage(content, in: chat, from: user.participant, now: now)
        try self.announce(message, except: socketID)
        return JSON.object([("data", message.json)]).text
    }
}
