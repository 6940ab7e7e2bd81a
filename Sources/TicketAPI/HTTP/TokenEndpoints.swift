internal import Hummingbird
internal import PusherPublisher

/// `/user/tokens` and `/user/tokens/{id}`: the caller's tokens and browser sessions.
struct TokenEndpoints: Sendable {
    let sessions: Sessions

    func list(_ call: Call, _ session: Session) async throws -> Response {
        var fields = Validator(call.query)
        let page = fields.page()
        try fields.finish()
        let (tokens, total) = try await self.sessions.list(of: session.user, page)
        let shown = JSONPage(
            request: page, items: tokens.map { $0.json(self.sessions.lifetimes, asking: session.tokenID) },
            total: total)
        return .json(.ok, Pagination(shown, link: PageLink(call)).json)
    }

    func delete(_ call: Call, _ session: Session) async throws -> Response {
        try await self.sessions.end(call.id, by: session)
        return Response(status: .noContent)
    }
}

extension ListedToken {
    /// `expires_at` is when it ends if it is not used any more.
    fileprivate func json(_ lifetimes: TokenLifetimes, asking current: Int64) -> JSON {
        let end = lifetimes.end(self.kind, createdAt: self.createdAt, lastUsedAt: self.lastUsedAt)
        return [
            "id": .int(self.id), "name": .string(self.name), "kind": .string(self.kind.rawValue),
            "current": .bool(self.id == current), "last_used_at": Self.json(self.lastUsedAt),
            "expires_at": Self.json(end), "created_at": .string(self.createdAt.iso8601),
        ]
    }

    private static func json(_ time: Timestamp?) -> JSON { time.map { .string($0.iso8601) } ?? .null }
}
