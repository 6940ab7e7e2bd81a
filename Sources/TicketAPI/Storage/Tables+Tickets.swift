internal import GRDB

extension Tables {
    func insertTicket(_ draft: TicketDraft, owner: Participant, now: Timestamp) throws -> Ticket {
        let id = try self.insert(
            """
            INSERT INTO tickets (user_id, subject, description, category, priority, status, created_at, updated_at)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?)
            """,
            [
                owner.id, draft.subject, draft.description, draft.category.rawValue, draft.priority.rawValue,
                Status.open.rawValue, now.microseconds, now.microseconds,
            ])
        return Ticket(
            id: id, owner: owner, assignee: nil, subject: draft.subject, description: draft.description,
            category: draft.category, priority: draft.priority, status: .open, createdAt: now, updatedAt: now)
    }

    func ticket(_ id: Int64) throws -> Ticket? {
        try self.row("SELECT \(Self.ticketColumns()) FROM \(Self.ticketTables) WHERE t.id = ?", [id]) {
            Ticket(row: $0)
        }
    }

    /// The ticket with its counts, as `reader` sees them.
    func ticketView(_ id: Int64, reader: User) throws -> TicketView? {
        var view = try self.row(
            "SELECT \(Self.ticketColumns()), \(Self.counts) FROM \(Self.ticketTables) WHERE t.id = ?",
            Self.countArguments(reader) + [id]
        ) { TicketView(row: $0) }
        view?.attachments = try self.attachments(ofTickets: [id])[id] ?? []
        return view
    }

    func updateTicket(_ ticket: Ticket) throws {
        try self.run(
            """
            UPDATE tickets SET assignee_id = ?, subject = ?, description = ?, category = ?, priority = ?, status = ?,
                updated_at = ?
            WHERE id = ?
            """,
            [
                ticket.assignee?.id, ticket.subject, ticket.description, ticket.category.rawValue,
                ticket.priority.rawValue, ticket.status.rawValue, ticket.updatedAt.microseconds, ticket.id,
            ])
    }

    /// Deletes the ticket; its chat goes with it (foreign keys), and so do the subscriptions to it.
    func deleteTicket(_ id: Int64) throws {
        try self.endSubscriptions(ofTicket: id)
        try self.run("DELETE FROM tickets WHERE id = ?", [id])
    }

    static func ticketColumns(description: String = "t.description") -> String {
        """
        t.id, t.subject, \(description), t.category, t.priority, t.status, t.created_at, t.updated_at,
        o.id, o.name, o.role, a.id, a.name, a.role
        """
    }
    static let ticketTables = """
        tickets t JOIN users o ON o.id = t.user_id LEFT JOIN users a ON a.id = t.assignee_id
        """
}

extension Ticket {
    /// From the columns of `ticketColumns`. The schema keeps the three terms within their vocabularies.
    fileprivate init(row: Row) {
        self.init(
            id: row[0],
            owner: Participant(row: row, at: 8),
            assignee: row.hasNull(atIndex: 11) ? nil : Participant(row: row, at: 11),
            subject: row[1],
            description: row[2],
            category: Category(rawValue: row[3]) ?? .general,
            priority: Priority(rawValue: row[4]) ?? .medium,
            status: Status(rawValue: row[5]) ?? .open,
            createdAt: Timestamp(microseconds: row[6]),
            updatedAt: Timestamp(microseconds: row[7]))
    }
}

extension TicketView {
    /// From the columns of `ticketColumns` and `counts`.
    init(row: Row) {
        self.init(ticket: Ticket(row: row), comments: row[14], messages: row[15], unread: row[16])
    }
}
