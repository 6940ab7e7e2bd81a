internal import GRDB
internal import PusherPublisher

// The trail of a ticket. Each entry is written in the transaction of what it tells.
extension Tables {
    func recordOpening(of ticket: Ticket) throws {
        try self.insertActivity(
            .created, of: ticket.id, by: ticket.owner.id, changes: [:], isInternal: false, at: ticket.createdAt)
    }

    /// Notes the fields that differ. Without an actor it was the operator.
    func recordChange(from before: Ticket, to after: Ticket, by actorID: Int64?) throws {
        try self.insertActivity(
            .updated, of: after.id, by: actorID, changes: before.changes(to: after), isInternal: false,
            at: after.updatedAt)
    }

    /// Notes that somebody commented. Of an internal note, the customer learns not even that.
    func recordComment(on ticketID: Int64, by actorID: Int64, isInternal: Bool, now: Timestamp) throws {
        try self.insertActivity(.commented, of: ticketID, by: actorID, changes: [:], isInternal: isInternal, at: now)
    }

    /// What everybody who sees the ticket may read, oldest first.
    func sharedActivity(of ticketID: Int64, _ page: PageRequest) throws -> [Shared<Activity>] {
        try self.rows(
            """
            SELECT \(Self.activityColumns) WHERE a.ticket_id = ? AND a.internal = 0 ORDER BY a.id LIMIT ? OFFSET ?
            """, [ticketID, page.perPage, page.offset]
        ) { Shared(Activity(row: $0)) }
    }

    /// Everything, oldest first.
    func staffActivity(of ticketID: Int64, _ page: PageRequest) throws -> [StaffView<Activity>] {
        try self.rows(
            "SELECT \(Self.activityColumns) WHERE a.ticket_id = ? ORDER BY a.id LIMIT ? OFFSET ?",
            [ticketID, page.perPage, page.offset]
        ) { StaffView(Activity(row: $0), isInternal: $0[7]) }
    }

    func activityCount(of ticketID: Int64, includingInternal: Bool) throws -> Int64 {
        let condition = includingInternal ? "" : "AND internal = 0"
        return try self.row("SELECT count(*) FROM activity WHERE ticket_id = ? \(condition)", [ticketID]) { $0[0] } ?? 0
    }

    private func insertActivity(
        _ kind: Activity.Kind, of ticketID: Int64, by actorID: Int64?, changes: JSON, isInternal: Bool,
        at moment: Timestamp
    ) throws {
        try self.run(
            "INSERT INTO activity (ticket_id, user_id, type, internal, changes, created_at) VALUES (?, ?, ?, ?, ?, ?)",
            [ticketID, actorID, kind.rawValue, isInternal, changes.text, moment.microseconds])
    }

    private static let activityColumns = """
        a.id, a.type, a.changes, a.created_at, u.id, u.name, u.role, a.internal
        FROM activity a LEFT JOIN users u ON u.id = a.user_id
        """
}

extension Activity {
    /// The schema allows no other kinds.
    fileprivate init(row: Row) {
        self.init(
            id: row[0], kind: Kind(rawValue: row[1]) ?? .updated,
            actor: row.hasNull(atIndex: 4) ? nil : Participant(row: row, at: 4), changes: row[2],
            createdAt: Timestamp(microseconds: row[3]))
    }
}
