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

    /// Gives an account a role. Who is admin no longer loses the live connections, and then is to hand over what was
    /// assigned (`handOver`); whether that is so.
    ///
    /// Throws `invalid` for the last admin. All writes happen one after another, so one is always left.
    func changeRole(of user: User, to role: Role) throws -> Bool {
        guard role != user.role else { return false }
        if user.isAdmin, try self.isOnlyAdmin(user.id) {
            throw TicketFailure.invalid(ValidationErrors("role", "The last admin cannot be demoted."))
        }
        try self.run("UPDATE users SET role = ? WHERE id = ?", [role.rawValue, user.id])
        guard user.isAdmin else { return false }
        try self.disconnect(userID: user.id)
        return true
    }

    /// Takes somebody who is admin no longer off up to `limit` of the tickets that were assigned, of which admins and
    /// owners are told; when there are none left, out of up to `limit` of the chats, which go to the assignee, else to the
    /// first admin. Whether there may be more of either.
    func handOver(from userID: Int64, by actorID: Int64?, limit: Int64, now: Timestamp) throws -> Bool {
        // Somebody may have made an admin of the account again.
        guard let user = try self.user(userID), !user.isAdmin else { return false }
        let assigned: [Int64] = try self.rows(
            "SELECT id FROM tickets WHERE assignee_id = ? LIMIT ?", [userID, limit]
        ) { $0[0] }
        for id in assigned { try self.unassign(id, by: actorID, now: now) }
        guard assigned.isEmpty else { return true }
        try self.run(
            """
            UPDATE chats SET admin_id = coalesce(
                (SELECT assignee_id FROM tickets WHERE id = chats.ticket_id),
                (SELECT min(id) FROM users WHERE role = 'admin'))
            WHERE id IN (SELECT id FROM chats WHERE admin_id = ? LIMIT ?)
            """, [userID, limit])
        return self.db.changesCount > 0
    }

    /// Those who have tickets or chats as admins and are none. Asks the indexes for one account after another.
    func formerAdminsWithWork() throws -> [Int64] {
        var found: [Int64] = []
        for next in [
            "SELECT assignee_id FROM tickets WHERE assignee_id > ? ORDER BY assignee_id LIMIT 1",
            "SELECT admin_id FROM chats WHERE admin_id > ? ORDER BY admin_id LIMIT 1",
        ] {
            var last: Int64 = 0
            while let id = try self.row(next, [last], { $0[0] as Int64 }) {
                last = id
                if try self.user(id)?.isAdmin == false { found.append(id) }
            }
        }
        return found
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
