internal import HTTPTypes
internal import Hummingbird
internal import PusherPublisher

/// `/tickets/{id}/chat` and below.
struct ChatEndpoints: Sendable {
    let readTickets: ReadTickets
    let postMessage: PostMessage
    let markRead: MarkRead

    func show(_ call: Call, _ session: Session) async throws -> Response {
        var fields = Validator(call.query)
        var position = ChatPosition()
        position.before = fields.optionalInteger("before", min: 0)
        position.after = fields.optionalInteger("after", min: 0)
        position.limit = fields.optionalInteger("limit", min: 1, max: 200) ?? position.limit
        let page = try await self.readTickets.chat(
            ofTicket: call.id, for: session.user, position: fields.checked(position))
        return .json(.ok, page.json)
    }

    /// Throws for a ticket that the caller may not see.
    func admit(_ call: Call, _ session: Session) async throws {
        try await self.readTickets.admit(session.user, toTicket: call.id)
    }

    func post(_ call: Call, _ session: Session) async throws -> Response {
        var fields = Validator(try await call.input())
        let content = fields.optionalText("content", max: 5000)
        if fields.isBlank("content"), !fields.hasAttachments(call.uploads) {
            fields.add("content", "The content field is required when attachment is not present.")
        }
        let attachments = fields.attachments(call.uploads)
        let key = call.header(.idempotencyKey).flatMap { $0.isEmpty ? nil : $0 }
        if let key, key.unicodeScalars.count > 255 {
            fields.add("idempotency_key", "The idempotency key field must not be greater than 255 characters.")
        }
        let command = PostMessage.Command(
            ticketID: call.id,
            draft: fields.checked(attachments.map { MessageDraft(content: content, attachments: $0) }),
            socketID: call.socketID, idempotencyKey: key)
        let (answer, isReplay) = try await self.postMessage(command, by: session)
        return .json(
            .created, bytes: answer.utf8, headers: isReplay ? [.idempotencyReplayed: "true"] : [:])
    }

    func read(_ call: Call, _ session: Session) async throws -> Response {
        var fields = Validator(try await call.input())
        let messageID = fields.integer("message_id")
        let mark = try await self.markRead(
            ofTicket: call.id, upTo: fields.checked(messageID), by: session, except: call.socketID)
        return .json(.ok, ["data": ["message_id": .int(mark)]])
    }
}
