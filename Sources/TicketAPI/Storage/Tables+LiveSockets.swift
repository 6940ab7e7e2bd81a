internal import GRDB

// The broker's connections for which something was signed, by the token that asked.
extension Tables {
    /// A token signs for so many connections at once; for one more, the oldest is asked to come back.
    static let maxSocketsPerToken: Int64 = 1000
    /// Connections in one row of `terminations`: as many as the broker takes at once.
    private static let socketsPerTermination = 1000

    func hasLiveSocket(_ socketID: String, tokenID: Int64) throws -> Bool {
        try self.row(
            "SELECT 1 FROM live_sockets WHERE token_id = ? AND socket_id = ?", [tokenID, socketID]
        ) { _ in true } ?? false
    }

    /// Remembers a connection of a token that exists.
    func insertLiveSocket(_ socketID: String, tokenID: Int64, now: Timestamp) throws {
        let surplus = try self.takeSockets(
            """
            (token_id, socket_id) IN (SELECT token_id, socket_id FROM live_sockets WHERE token_id = ?
                ORDER BY created_at DESC, socket_id LIMIT -1 OFFSET ?)
            """, [tokenID, Self.maxSocketsPerToken - 1])
        try self.endSockets(surplus, reconnecting: true)
        try self.run(
            "INSERT OR IGNORE INTO live_sockets (token_id, socket_id, created_at) VALUES (?, ?, ?)",
            [tokenID, socketID, now.microseconds])
    }

    /// Asks the clients of connections that were first signed for before `limit` to come back; at most `count` of them,
    /// the oldest. Returns how many there were.
    func endOldSockets(before limit: Timestamp, count: Int64) throws -> Int {
        let sockets = try self.takeSockets(
            """
            (token_id, socket_id) IN (SELECT token_id, socket_id FROM live_sockets WHERE created_at < ?
                ORDER BY created_at LIMIT ?)
            """, [limit.microseconds, count])
        try self.endSockets(sockets, reconnecting: true)
        return sockets.count
    }

    /// Forgets connections and returns them.
    func takeSockets(_ condition: String, _ arguments: StatementArguments) throws -> [String] {
        try self.rows("DELETE FROM live_sockets WHERE \(condition) RETURNING socket_id", arguments) { $0[0] }
    }

    /// Has the broker end connections. `userID` when they are all that the user has, or all but one device's.
    func endSockets(_ sockets: [String], ofUser userID: Int64? = nil, reconnecting: Bool = false) throws {
        for start in stride(from: 0, to: sockets.count, by: Self.socketsPerTermination) {
            let some = sockets[start..<min(start + Self.socketsPerTermination, sockets.count)]
            try self.insertTermination(sockets: Array(some), channels: [], reconnects: reconnecting, userID: userID)
        }
    }
}
