internal import GRDB

/// What the broker is asked to end: connections, or all subscriptions to channels.
struct TerminationRow: Sendable, Equatable {
    let id: Int64
    let sockets: [String]
    let channels: [String]
    /// Whether the clients are to come back.
    let reconnects: Bool
    /// Whose connections these all are; nil when the user has others that stay.
    let userID: Int64?
}

extension Tables {
    /// Puts a termination between the events that are in the outbox and those that will be.
    func insertTermination(sockets: [String], channels: [String], reconnects: Bool, userID: Int64?) throws {
        _ = try self.insert(
            """
            INSERT INTO terminations (after_event, sockets, channels, reconnects, user_id)
            VALUES (coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'outbox'), 0), ?, ?, ?, ?)
            """,
            [sockets.joined(separator: " "), channels.joined(separator: " "), reconnects, userID])
        self.news.hasTermination = true
    }

    /// The id of the last event that may be published now; nil when all may.
    func barrier() throws -> Int64? {
        try self.row("SELECT after_event FROM terminations ORDER BY id LIMIT 1", []) { $0[0] }
    }

    /// The first terminations, in order.
    func terminations(limit: Int64) throws -> [TerminationRow] {
        try self.rows(
            "SELECT id, sockets, channels, reconnects, user_id FROM terminations ORDER BY id LIMIT ?", [limit]
        ) { row in
            TerminationRow(
                id: row[0], sockets: Self.words(row[1]), channels: Self.words(row[2]), reconnects: row[3],
                userID: row[4])
        }
    }

    func deleteTerminations(_ ids: [Int64]) throws {
        for id in ids { try self.run("DELETE FROM terminations WHERE id = ?", [id]) }
    }

    private static func words(_ text: String) -> [String] { text.split(separator: " ").map(String.init) }
}
