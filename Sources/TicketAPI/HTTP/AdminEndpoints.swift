internal import Hummingbird
internal import PusherPublisher

/// `/users`, `/users/{id}` and `/stats`, for admins.
struct AdminEndpoints: Sendable {
    let manageUsers: ManageUsers
    let readStatistics: ReadStatistics

    func users(_ call: Call, _ session: Session) async throws -> Response {
        guard session.user.isAdmin else { throw TicketFailure.notAllowed }
        let query = try Self.query(call.query)
        let (page, total) = try await self.manageUsers.list(query)
        let shown = JSONPage(request: query.page, items: page.map(\.json), total: total)
        return .json(.ok, Pagination(shown, link: PageLink(call)).json)
    }

    func updateUser(_ call: Call, _ session: Session) async throws -> Response {
        guard session.user.isAdmin else { throw TicketFailure.notAllowed }
        var fields = Validator(try await call.input())
        let role = Self.role(fields.text("role"), &fields)
        let user = try await self.manageUsers.changeRole(of: call.id, to: fields.checked(role), by: session)
        return .json(.ok, ["data": user.json])
    }

    func statistics(_ call: Call, _ session: Session) async throws -> Response {
        guard session.user.isAdmin else { throw TicketFailure.notAllowed }
        return .json(.ok, ["data": try await self.readStatistics().json])
    }

    private static func query(_ input: Input) throws -> ManageUsers.Query {
        var fields = Validator(input)
        var query = ManageUsers.Query()
        query.role = Self.role(fields.optionalText("role", max: 255), &fields)
        query.text = fields.optionalText("q", max: 255)
        query.page = fields.page()
        if let text = fields.optionalText("sort", max: 255) {
            query.isDescending = text.hasPrefix("-")
            if let sort = ManageUsers.Query.Sort(rawValue: String(text.dropFirst(query.isDescending ? 1 : 0))) {
                query.sort = sort
            } else {
                fields.selectedIsInvalid("sort")
            }
        }
        try fields.finish()
        return query
    }

    private static func role(_ word: String?, _ fields: inout Validator) -> Role? {
        guard let word else { return nil }
        if let role = Role(rawValue: word) { return role }
        fields.selectedIsInvalid("role")
        return nil
    }
}

extension Statistics {
    fileprivate var json: JSON {
        [
            "by_status": self.counts(\.status), "by_priority": self.counts(\.priority),
            "by_category": self.counts(\.category),
            "messages_per_day": .array(
                self.messageDays.map { day in
                    ["date": .string(String(day.start.iso8601.prefix(10))), "count": .int(day.count)]
                }),
            "median_first_response_seconds": .optional(self.medianFirstResponseSeconds),
        ]
    }

    /// Every word of a vocabulary, with the number of tickets that have it.
    private func counts<T: Term & Hashable>(_ term: (TicketCount) -> T) -> JSON {
        var counts: [T: Int64] = [:]
        for entry in self.tickets { counts[term(entry), default: 0] += entry.count }
        return .object(T.allCases.map { (name: $0.word, value: .int(counts[$0] ?? 0)) })
    }
}
