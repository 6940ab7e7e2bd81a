internal import GRDB

extension Tables {
    /// Reads an index of the tickets and figures that the database keeps as messages and comments come in, so it costs
    /// the same however many messages there are.
    func statistics(now: Timestamp) throws -> Statistics {
        Statistics(
            tickets: try self.ticketsByTerms(), messageDays: try self.messageDays(now: now),
            medianFirstResponseSeconds: try self.medianFirstResponse().map { ($0 + 500_000) / 1_000_000 })
    }

    private func ticketsByTerms() throws -> [Statistics.TicketCount] {
        try self.rows(
            "SELECT status, priority, category, count(*) FROM tickets GROUP BY status, priority, category", []
        ) { row in
            Statistics.TicketCount(
                status: Status(rawValue: row[0]) ?? .open, priority: Priority(rawValue: row[1]) ?? .medium,
                category: Category(rawValue: row[2]) ?? .general, count: row[3])
        }
    }

    private func messageDays(now: Timestamp) throws -> [(start: Timestamp, count: Int64)] {
        let dayLength: Int64 = 86_400_000_000
        let today = now.microseconds / dayLength
        let days = today - Statistics.days + 1...today
        let counts = try self.rows(
            "SELECT day, count FROM message_days WHERE day BETWEEN ? AND ?", [days.lowerBound, days.upperBound]
        ) { (day: $0[0] as Int64, count: $0[1] as Int64) }
        let countByDay = Dictionary(counts.map { ($0.day, $0.count) }) { first, _ in first }
        return days.map { (start: Timestamp(microseconds: $0 * dayLength), count: countByDay[$0] ?? 0) }
    }

    /// In microseconds; of an even number, between the two in the middle.
    private func medianFirstResponse() throws -> Int64? {
        let total = try self.row("SELECT count(*) FROM first_responses", []) { $0[0] as Int64 } ?? 0
        guard total > 0 else { return nil }
        let middle = try self.rows(
            "SELECT microseconds FROM first_responses ORDER BY microseconds LIMIT ? OFFSET ?",
            [total.isMultiple(of: 2) ? 2 : 1, (total - 1) / 2]
        ) { $0[0] as Int64 }
        guard let low = middle.first, let high = middle.last else { return nil }
        return low + (high - low) / 2
    }
}
