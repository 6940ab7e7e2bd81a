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
    func ticketView(_ id: Int64, reader: Int64) throws -> TicketView? {
        try self.row(
            "SELECT \(Self.ticketColumns()), \(Self.counts) FROM \(Self.ticketTables) WHERE t.id = ?", [reader, id]
        ) { TicketView(row: $0) }
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

    /// One page, and how many tickets there are on all pages. A description that is longer than a list shows comes cut
    /// to one code point more.
    func tickets(_ query: TicketQuery, reader: Int64) throws -> (page: [TicketView], total: Int64) {
        let (condition, arguments) = Self.condition(query)
        let total = try self.row("SELECT count(*) FROM tickets t WHERE \(condition)", arguments) { $0[0] as Int64 } ?? 0
        let columns = Self.ticketColumns(
            description: "substr(t.description, 1, \(TicketView.maxListedDescription + 1))")
        let page = try self.rows(
            """
            SELECT \(columns), \(Self.counts) FROM \(Self.ticketTables)
            WHERE \(condition) ORDER BY \(Self.order(query.sort)) LIMIT ? OFFSET ?
            """,
            [reader] + arguments + [query.perPage, query.offset]
        ) { TicketView(row: $0) }
        return (page, total)
    }

    private static func condition(_ query: TicketQuery) -> (sql: String, arguments: StatementArguments) {
        var terms = ["TRUE"]
        var arguments: StatementArguments = []
        func add(_ column: String, _ value: Int64?) {
            guard let value else { return }
            terms.append("t.\(column) = ?")
            arguments += [value]
        }
        add("user_id", query.visibleTo)
        add("user_id", query.owner)
        add("status", query.status?.rawValue)
        add("priority", query.priority?.rawValue)
        add("category", query.category?.rawValue)
        switch query.assignee {
        case .some(.user(let id)): add("assignee_id", id)
        case .some(.nobody): terms.append("t.assignee_id IS NULL")
        case nil: break
        }
        return (terms.joined(separator: " AND "), arguments)
    }

    private static func order(_ sort: TicketQuery.Sort) -> String {
        let direction = sort.isDescending ? "DESC" : "ASC"
        return "t.\(sort.column.rawValue) \(direction), t.id \(direction)"
    }

    private static func ticketColumns(description: String = "t.description") -> String {
        """
        t.id, t.subject, \(description), t.category, t.priority, t.status, t.created_at, t.updated_at,
        o.id, o.name, o.role, a.id, a.name, a.role
        """
    }
    private static let ticketTables = """
        tickets t JOIN users o ON o.id = t.user_id LEFT JOIN users a ON a.id = t.assignee_id
        """
    private static let counts = """
        (SELECT count(*) FROM messages m JOIN chats c ON c.id = m.chat_id WHERE c.ticket_id = t.id),
        (SELECT count(*) FROM messages m JOIN chats c ON c.id = m.chat_id WHERE c.ticket_id = t.id AND m.sender_id <> ?)
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
    fileprivate init(row: Row) {
        self.init(ticket: Ticket(row: row), messages: row[14], unread: row[15])
    }
}
