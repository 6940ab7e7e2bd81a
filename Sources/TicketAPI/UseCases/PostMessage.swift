internal import Digests
internal import PusherPublisher

/// Posts to a ticket's chat: the message, the event that tells of it, and the answer to the client's key are one
/// transaction.
///
/// A second request with the same key waits for the first by itself, because writes happen one after another.
struct PostMessage: Sendable {
    struct Command: Sendable {
        let ticketID: Int64
        let draft: Result<MessageDraft, TicketFailure>
        /// The connection that is left out of the broadcast.
        let socketID: String?
        let idempotencyKey: String?
    }

    /// A key is remembered for a day.
    private static let keyLifetimeSeconds: Int64 = 24 * 3600

    let store: TicketStore
    let files: AttachmentFiles
    let now: @Sendable () -> Timestamp

    /// The JSON text of the answer, and whether it is an earlier one again.
    func callAsFunction(_ command: Command, by session: Session) async throws -> (answer: String, isReplay: Bool) {
        let files = (try? command.draft.get())?.attachments ?? []  // Of a refused message there are none to keep.
        return try await self.files.keeping(files, unless: \.isReplay) { try await self.post(command, by: session) }
    }

    private func post(_ command: Command, by session: Session) async throws -> (answer: String, isReplay: Bool) {
        let now = self.now()
        return try await self.store.write { tables in
            let user = try tables.confirmed(session)
            let ticket = try tables.visibleTicket(command.ticketID, to: user)
            let draft = try command.draft.get()
            guard let text = command.idempotencyKey else {
                return (try tables.post(draft, to: ticket, by: user, except: command.socketID, now: now), false)
            }
            let key = IdempotencyKey(userID: user.id, ticketID: ticket.id, text: text)
            let hash = Array(draft.digest)
            let expiry = now.advanced(bySeconds: -Self.keyLifetimeSeconds)
            if let first = try tables.answer(to: key, since: expiry) {
                guard first.contentHash == hash else {
                    throw TicketFailure.invalid(
                        ValidationErrors("idempotency_key", "The idempotency key was used for another message."))
                }
                return (first.answer, true)
            }
            let answer = try tables.post(draft, to: ticket, by: user, except: command.socketID, now: now)
            try tables.keepAnswer(answer, to: key, contentHash: hash, now: now, expiry: expiry)
            return (answer, false)
        }
    }
}

extension MessageDraft {
    /// Tells this message from every other: the hash of the text, with the files' hashes and names behind it. A text has
    /// no NUL, nor has a name.
    fileprivate var digest: Digest32 {
        var bytes = Array((self.content ?? "").utf8)
        for file in self.attachments { bytes += [0] + Array(file.sha256) + Array(file.name.utf8) }
        return SHA256.digest(bytes)
    }
}

extension Tables {
    /// Stores the message with its event and returns the answer to its sender.
    fileprivate func post(
        _ draft: MessageDraft, to ticket: Ticket, by user: User, except socketID: String?, now: Timestamp
    ) throws -> String {
        guard TicketPolicy.canWrite(ticket, user) else { throw TicketFailure.ticketIsClosed }
        let chat = try self.openChat(of: ticket)
        let message = try self.insertMessage(
            draft.content, with: draft.attachments, in: chat, from: user.participant, now: now)
        try self.announce(message, except: socketID)
        return JSON.object([("data", message.json)]).text
    }
}
