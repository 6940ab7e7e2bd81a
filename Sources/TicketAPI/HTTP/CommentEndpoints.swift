internal import Hummingbird
internal import PusherPublisher

/// `/tickets/{id}/comments` and `/tickets/{id}/activity`.
struct CommentEndpoints: Sendable {
    let comments: Comments
    let readActivity: ReadActivity

    func list(_ call: Call, _ session: Session) async throws -> Response {
        let page = try await self.comments.list(ofTicket: call.id, for: session.user, Self.page(call))
        return .json(.ok, Pagination(page, link: PageLink(call)).json)
    }

    func create(_ call: Call, _ session: Session) async throws -> Response {
        var fields = Validator(try await call.input())
        let content = fields.text("content", max: 5000)
        // From a customer it says nothing, whatever it is.
        let isInternal = session.user.isAdmin ? fields.sentBool("internal") ?? false : false
        let draft = content.map { Comments.Draft(content: $0, isInternal: isInternal) }
        let comment = try await self.comments.add(
            fields.checked(draft), toTicket: call.id, by: session, except: call.socketID)
        return .json(.created, ["data": comment])
    }

    func activity(_ call: Call, _ session: Session) async throws -> Response {
        let page = try await self.readActivity(ofTicket: call.id, for: session.user, Self.page(call))
        return .json(.ok, Pagination(page, link: PageLink(call)).json)
    }

    private static func page(_ call: Call) -> Result<PageRequest, TicketFailure> {
        var fields = Validator(call.query)
        let page = fields.page()
        return fields.checked(page)
    }
}
