internal import HTTPTypes
internal import Hummingbird
internal import PusherProtocol

/// `/tickets/{id}/chat` and below.
struct ChatEndpoints: Sendable {
    let readTickets: ReadTickets
    let postMessage: PostMessage

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

    func post(_ call: Call, _ session: Session) async throws -> Response {
        var fields = Validator(try await call.input())
        let content = fields.text("content", max: 5000)
        let key = call.header(.idempotencyKey).flatMap { $0.isEmpty ? nil : $0 }
        if let key, key.unicodeScalars.count > 255 {
            fields.add("idempotency_key", "The idempotency key field must not be greater than 255 characters.")
        }
        let command = PostMessage.Command(
            ticketID: call.id, content: fields.checked(content), socketID: Self.socketID(call), idempotencyKey: key)
        let (answer, isReplay) = try await self.postMessage(command, by: session)
        return .json(
            .created, bytes: answer.utf8, headers: isReplay ? [.idempotencyReplayed: "true"] : [:])
    }

    /// Echo sends "undefined" while it is not connected, so what is no socket id leaves nobody out. One that is
    /// longer than any server makes them is none.
    private static func socketID(_ call: Call) -> String? {
        guard let text = call.header(.socketID), text.utf8.count <= 40, SocketID.Reference(text) != nil else {
            return nil
        }
        return text
    }
}
