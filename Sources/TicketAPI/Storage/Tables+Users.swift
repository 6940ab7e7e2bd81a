internal import GRDB

extension Tables {
    func user(_ id: Int64) throws -> User? {
        try self.row("SELECT id, name, email, role, created_at FROM users WHERE id = ?", [id]) { User(row: $0) }
    }

    /// One page, and how many accounts there are on all pages.
    func users(_ query: ManageUsers.Query) throws -> (page: [User], total: Int64) {
        var terms = ["TRUE"]
        var arguments: StatementArguments = []
        if let role = query.role {
            terms.append("u.role = ?")
            arguments += [role.rawValue]
        }
        if let text = query.text {
            terms.append("u.id IN (SELECT rowid FROM users_search WHERE users_search MATCH ?)")
            arguments += [Self.searchExpression(text)]
        }
        let condition = terms.joined(separator: " AND ")
        let total = try self.row("SELECT count(*) FROM users u WHERE \(condition)", arguments) { $0[0] as Int64 } ?? 0
        let column =
            switch query.sort {
            case .name: "u.name COLLATE NOCASE"
            case .email: "u.email_key"
            case .createdAt: "u.created_at"
            }
        let direction = query.isDescending ? "DESC" : "ASC"
        let page = try self.rows(
            """
            SELECT u.id, u.name, u.email, u.role, u.created_at FROM users u
            WHERE \(condition) ORDER BY \(column) \(direction), u.id \(direction) LIMIT ? OFFSET ?
            """, arguments + [query.page.perPage, query.page.offset]
        ) { User(row: $0) }
        return (page, total)
    }

    /// Each word as the beginning of a phrase, all of them wanted. In quotation marks nothing else has a meaning.
    private static func searchExpression(_ text: String) -> String {
        text.split(whereSeparator: \.isWhitespace)
            .map { "\"\($0.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\""))\"*" }
            .joined(separator: " ")
    }

    /// Gives an account a role. Who is admin no longer loses the live connections, the tickets that were assigned, of
    /// which admins and owners are told, and the chats, which go to the assignee, else to the first admin.
    ///
    /// Throws `invalid` for the last admin. All writes happen one after another, so one is always left.
    func changeRole(of user: User, to role: Role, by actorID: Int64?, now: Timestamp) throws {
        guard role != user.role else { return }
        if user.isAdmin, try self.isOnlyAdmin(user.id) {
            throw TicketFailure.invalid(ValidationErrors("role", "The last admin cannot be demoted."))
        }
        try self.run("UPDATE users SET role = ? WHERE id = ?", [role.rawValue, user.id])
        guard user.isAdmin else { return }
        try self.disconnect(userID: user.id)
        let assigned: [Int64] = try self.rows(
            "SELECT id FROM tickets WHERE assignee_id = ? ORDER BY id", [user.id]
        ) { $0[0] }
        for id in assigned { try self.unassign(id, by: actorID, now: now) }
        try self.run(
            """
            UPDATE chats SET admin_id = coalesce(
                (SELECT assignee_id FROM tickets WHERE id = chats.ticket_id),
                (SELECT min(id) FROM users WHERE role = 'admin'))
            WHERE admin_id = ?
            """, [user.id])
    }

    private func isOnlyAdmin(_ id: Int64) throws -> Bool {
        try self.row("SELECT 1 FROM users WHERE role = 'admin' AND id <> ? LIMIT 1", [id]) { _ in true } == nil
    }

    /// One ticket at a time: the longest thousand descriptions would be 260 MB.
    private func unassign(_ id: Int64, by actorID: Int64?, now: Timestamp) throws {
        guard let ticket = try self.ticket(id) else { return }
        var free = ticket
        free.assignee = nil
        try self.change(ticket, to: free, by: actorID, now: now)
    }
}
