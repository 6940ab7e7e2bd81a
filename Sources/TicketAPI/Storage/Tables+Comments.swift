internal import GRDB

extension Tables {
    /// Adds a comment for everybody who sees the ticket.
    func insertComment(
        _ content: String, on ticketID: Int64, by author: Participant, now: Timestamp
    ) throws -> Shared<Comment> {
        Shared(try self.insert(content, isInternal: false, on: ticketID, by: author, now: now))
    }

    /// Adds an internal note.
    func insertNote(
        _ content: String, on ticketID: Int64, by author: Participant, now: Timestamp
    ) throws -> Confidential<Comment> {
        Confidential(try self.insert(content, isInternal: true, on: ticketID, by: author, now: now))
    }

    private func insert(
        _ content: String, isInternal: Bool, on ticketID: Int64, by author: Participant, now: Timestamp
    ) throws -> Comment {
        let id = try self.insert(
            "INSERT INTO comments (ticket_id, user_id, content, internal, created_at) VALUES (?, ?, ?, ?, ?)",
            [ticketID, author.id, content, isInternal, now.microseconds])
        return Comment(id: id, ticketID: ticketID, content: content, author: author, createdAt: now)
    }

    /// The comments that everybody who sees the ticket may read, oldest first.
    func sharedComments(of ticketID: Int64, _ page: PageRequest) throws -> [Shared<Comment>] {
        try self.rows(
            """
            SELECT \(Self.commentColumns) WHERE c.ticket_id = ? AND c.internal = 0 ORDER BY c.id LIMIT ? OFFSET ?
            """, [ticketID, page.perPage, page.offset]
        ) { Shared(Comment(row: $0)) }
    }

    /// All comments, oldest first.
    func staffComments(of ticketID: Int64, _ page: PageRequest) throws -> [StaffView<Comment>] {
        try self.rows(
            "SELECT \(Self.commentColumns) WHERE c.ticket_id = ? ORDER BY c.id LIMIT ? OFFSET ?",
            [ticketID, page.perPage, page.offset]
        ) { StaffView(Comment(row: $0), isInternal: $0[7]) }
    }

    func commentCount(of ticketID: Int64, includingInternal: Bool) throws -> Int64 {
        try self.row(
            "SELECT coalesce(sum(comments), 0) FROM comment_tallies WHERE ticket_id = ? AND internal <= ?",
            [ticketID, includingInternal]
        ) { $0[0] } ?? 0
    }

    private static let commentColumns = """
        c.id, c.ticket_id, c.content, c.created_at, u.id, u.name, u.role, c.internal
        FROM comments c JOIN users u ON u.id = c.user_id
        """
}

extension Comment {
    fileprivate init(row: Row) {
        self.init(
            id: row[0], ticketID: row[1], content: row[2], author: Participant(row: row, at: 4),
            createdAt: Timestamp(microseconds: row[3]))
    }
}
