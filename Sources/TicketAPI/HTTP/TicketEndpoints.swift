internal import HTTPTypes
internal import Hummingbird
internal import PusherPublisher

/// `/tickets` and `/tickets/{id}`.
struct TicketEndpoints: Sendable {
    let openTicket: OpenTicket
    let readTickets: ReadTickets
    let updateTicket: UpdateTicket

    func list(_ call: Call, _ session: Session) async throws -> Response {
        let query = try Self.query(call.query, reader: session.user)
        let (page, total) = try await self.readTickets.list(query, for: session.user)
        let shown = JSONPage(request: query.page, items: page.map(\.listJSON), total: total)
        return .json(.ok, Pagination(shown, link: PageLink(call)).json)
    }

    func create(_ call: Call, _ session: Session) async throws -> Response {
        var fields = Validator(try await call.input())
        let subject = fields.text("subject", max: 255)
        let description = fields.text("description", max: 65_535)
        let category = fields.term("category", as: Category.self)
        let priority = fields.term("priority", as: Priority.self)
        let attachments = fields.attachments(call.uploads)
        try fields.finish()
        guard let subject, let description, let category, let priority, let attachments else {
            throw TicketFailure.invalid(fields.errors)
        }
        let draft = TicketDraft(
            subject: subject, description: description, category: category, priority: priority,
            attachments: attachments)
        return Self.answer(.created, try await self.openTicket(draft, by: session))
    }

    func show(_ call: Call, _ session: Session) async throws -> Response {
        Self.answer(.ok, try await self.readTickets.show(call.id, to: session))
    }

    func update(_ call: Call, _ session: Session) async throws -> Response {
        var fields = Validator(try await call.input())
        let changes = TicketChanges(
            subject: fields.sentText("subject", max: 255),
            description: fields.sentText("description", max: 65_535),
            category: fields.sentTerm("category"),
            priority: fields.sentTerm("priority"),
            status: fields.sentTerm("status"),
            assignee: Self.assignee(&fields))
        let view = try await self.updateTicket(
            call.id, by: session, expecting: call.expectedVersion,
            managing: fields.input["status"] != nil || fields.input["assigned_to"] != nil,
            changes: fields.checked(changes))
        return Self.answer(.ok, view)
    }

    func delete(_ call: Call, _ session: Session) async throws -> Response {
        try await self.updateTicket.delete(call.id, by: session, expecting: call.expectedVersion)
        return Response(status: .noContent)
    }

    private static func answer(_ status: HTTPResponse.Status, _ view: TicketView) -> Response {
        .json(status, ["data": view.json], headers: view.ticket.entityTag)
    }

    private static func assignee(_ fields: inout Validator) -> TicketChanges.Assignee? {
        switch fields.input["assigned_to"] {
        case nil: nil
        case .null: .nobody
        default: fields.optionalInteger("assigned_to", min: 1).map { .user($0) }
        }
    }

    private static func query(_ input: Input, reader: User) throws -> TicketQuery {
        var fields = Validator(input)
        var query = TicketQuery()
        query.status = fields.optionalTerm("status")
        query.priority = fields.optionalTerm("priority")
        query.category = fields.optionalTerm("category")
        query.search = fields.optionalText("q", max: 255)
        query.owner = fields.optionalInteger("user_id", min: 1)
        query.page = fields.page()
        switch input["assigned_to"] {
        case nil, .null: break
        case .text("me"): query.assignee = .user(reader.id)
        case .text("none"): query.assignee = .nobody
        case .text(let id):
            if let id = Int64(id), id > 0 { query.assignee = .user(id) } else { fallthrough }
        default: fields.selectedIsInvalid("assigned_to")
        }
        switch input["sort"] {
        case nil, .null: break
        case .text(let text):
            if let sort = TicketQuery.Sort(text) { query.sort = sort } else { fallthrough }
        default: fields.selectedIsInvalid("sort")
        }
        try fields.finish()
        return query
    }
}
