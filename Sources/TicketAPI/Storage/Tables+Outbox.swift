internal import GRDB

/// What there is for the relay to do.
struct OutboxNews: Sendable, Equatable {
    /// Tickets with events.
    var tickets: [Int64] = []
    var hasTermination = false

    var isEmpty: Bool { self.tickets.isEmpty && !self.hasTermination }
}

/// One event that waits to be published.
struct OutboxRow: Sendable {
    let id: Int64
    let ticketID: Int64
    let event: String
    let channels: [String]
    let data: String
    /// The connection that does not get it.
    var socketID: String?
}

extension Tables {
    /// Puts an event into the outbox. It is published after this transaction is committed, in the order of the ticket's
    /// rows.
    func publish(
        _ event: TicketEvent, of ticketID: Int64, on channels: [TicketChannel], _ data: SharedData,
        except socketID: String? = nil
    ) throws {
        try self.insertEvent(event, ticketID, channels.map(\.name), data.text, socketID)
    }

    /// As above, for what only staff may hear.
    func publish(
        _ event: TicketEvent, of ticketID: Int64, on channel: StaffChannel, _ data: StaffData, except socketID: String?
    ) throws {
        try self.insertEvent(event, ticketID, [channel.rawValue], data.text, socketID)
    }

    private func insertEvent(
        _ event: TicketEvent, _ ticketID: Int64, _ channels: [String], _ data: String, _ socketID: String?
    ) throws {
        // A channel's name has no space.
        _ = try self.insert(
            """
            INSERT INTO outbox (ticket_id, event, channels, data, socket_id, created_at)
            VALUES (?, ?, ?, ?, ?, unixepoch() * 1000000)
            """,
            [ticketID, event.rawValue, channels.joined(separator: " "), data, socketID])
        self.news.tickets.append(ticketID)
    }

    /// Everything that waits; of the tickets, the one that waits longest first.
    func pendingNews() throws -> OutboxNews {
        OutboxNews(
            tickets: try self.rows("SELECT ticket_id FROM outbox GROUP BY ticket_id ORDER BY min(id)", []) { $0[0] },
            hasTermination: try self.barrier() != nil)
    }

    /// The first rows of a ticket after the row `last`, in order; none with an id above `barrier`.
    func outbox(of ticketID: Int64, after last: Int64, limit: Int64, barrier: Int64?) throws -> [OutboxRow] {
        try self.rows(
            """
            SELECT id, ticket_id, event, channels, data, socket_id FROM outbox
            WHERE ticket_id = ? AND id > ? AND id <= ? ORDER BY id LIMIT ?
            """, [ticketID, last, barrier ?? .max, limit]
        ) { row in
            OutboxRow(
                id: row[0], ticketID: row[1], event: row[2],
                channels: (row[3] as String).split(separator: " ").map(String.init), data: row[4], socketID: row[5])
        }
    }

    /// How many events wait, and since when the first of them does; that is not known of events of an earlier version.
    func outboxState() throws -> OutboxState {
        let events = try self.row("SELECT count(*) FROM outbox", []) { $0[0] as Int } ?? 0
        let since: Int64?? = try self.row("SELECT created_at FROM outbox ORDER BY id LIMIT 1", []) { $0[0] }
        return OutboxState(events: events, since: since.flatMap { $0 }.map(Timestamp.init(microseconds:)))
    }

    func deleteFromOutbox(_ ids: [Int64]) throws {
        for id in ids { try self.run("DELETE FROM outbox WHERE id = ?", [id]) }
    }
}
