import GRDB
import NIOHTTP1
import Testing

@testable import TicketAPI

@Suite(.timeLimit(.minutes(3)))
struct StatisticsTests {
    /// 2026-03-02T00:00:00Z.
    private static let midnight = Timestamp(microseconds: 1_772_409_600_000_000)

    private func statistics(_ api: TicketHarness, _ admin: TicketHarness.Account) async throws -> Value {
        let reply = try await api.call(.GET, "/stats", token: admin.token)
        guard reply.status == 200 else { throw Unexpected(reply) }
        return reply.json["data"]
    }

    @Test("ADM-8: without tickets every word and every day counts 0, and there is no median")
    func empty() async throws {
        try await TicketHarness.run { api in
            api.clock.stop(at: Self.midnight)
            let figures = try await self.statistics(api, api.admin())
            #expect(
                figures.keys == [
                    "by_status", "by_priority", "by_category", "messages_per_day", "median_first_response_seconds",
                ])
            #expect(figures["by_status"] == ["Open": 0, "In Progress": 0, "Resolved": 0, "Closed": 0])
            #expect(figures["by_priority"] == ["Low": 0, "Medium": 0, "High": 0])
            #expect(figures["by_category"] == ["Technical": 0, "Billing": 0, "General": 0])
            #expect(figures["median_first_response_seconds"] == nil)
            let days = figures["messages_per_day"].items
            #expect(days.count == 30)
            #expect(days.first == ["date": "2026-02-01", "count": 0])
            #expect(days.last == ["date": "2026-03-02", "count": 0])
        }
    }

    @Test("ADM-8: tickets and messages are counted, and no more when they are deleted; a day ends at midnight in UTC")
    func counts() async throws {
        try await TicketHarness.run { api in
            api.clock.stop(at: Self.midnight.advanced(bySeconds: -1))
            let root = try await api.admin()
            let ada = try await api.customer("Ada")
            let kept = try await api.ticket(of: ada)
            let deleted = try await api.ticket(of: ada)
            for id in [kept, kept, deleted] { _ = try await api.post("before", to: id, as: ada) }
            api.clock.advance(seconds: 1)
            for id in [kept, deleted, deleted] { _ = try await api.post("after", to: id, as: ada) }
            _ = try await api.call(
                .PATCH, "/tickets/\(kept)", token: root.token, json: #"{"status":"In Progress","priority":"High"}"#)
            var figures = try await self.statistics(api, root)
            #expect(figures["by_status"] == ["Open": 1, "In Progress": 1, "Resolved": 0, "Closed": 0])
            #expect(figures["by_priority"] == ["Low": 1, "Medium": 0, "High": 1])
            #expect(figures["by_category"] == ["Technical": 2, "Billing": 0, "General": 0])
            #expect(
                Array(figures["messages_per_day"].items.suffix(2)) == [
                    ["date": "2026-03-01", "count": 3], ["date": "2026-03-02", "count": 3],
                ])

            _ = try await api.call(.DELETE, "/tickets/\(deleted)", token: root.token)
            api.clock.advance(seconds: 29 * 86_400)
            figures = try await self.statistics(api, root)
            #expect(figures["by_category"] == ["Technical": 1, "Billing": 0, "General": 0])
            let days = figures["messages_per_day"].items
            #expect(days.first == ["date": "2026-03-02", "count": 1])
            #expect(days.dropFirst().allSatisfy { $0["count"] == 0 })
        }
    }

    @Test("ADM-9: the median counts each ticket's first word by an admin who is not its owner")
    func median() async throws {
        try await TicketHarness.run { api in
            api.clock.stop(at: Self.midnight)
            let root = try await api.admin()
            let ada = try await api.customer("Ada")
            func median() async throws -> Int64? {
                try await self.statistics(api, root)["median_first_response_seconds"].int
            }
            var tickets: [Int64] = []
            for _ in 0..<4 { tickets.append(try await api.ticket(of: ada)) }
            let own = try await api.ticket(of: root)
            _ = try await api.post("to myself", to: own, as: root)
            api.clock.advance(seconds: 10)
            _ = try await api.post("anybody?", to: tickets[0], as: ada)
            #expect(try await median() == nil)
            _ = try await api.post("yes", to: tickets[0], as: root)
            #expect(try await median() == 10)
            api.clock.advance(seconds: 21)
            _ = try await api.post("and yes", to: tickets[0], as: root)
            _ = try await api.post("yes", to: tickets[1], as: root)
            // Between 10 and 31, and a half is rounded up.
            #expect(try await median() == 21)
            api.clock.advance(seconds: 69)
            _ = try await api.post("yes", to: tickets[2], as: root)
            #expect(try await median() == 31)
            _ = try await api.call(.DELETE, "/tickets/\(tickets[0])", token: root.token)
            #expect(try await median() == 66)
        }
    }

    @Test("ADM-9: a public comment is a response, an internal note is none")
    func comments() async throws {
        try await TicketHarness.run { api in
            api.clock.stop(at: Self.midnight)
            let root = try await api.admin()
            let ada = try await api.customer("Ada")
            let id = try await api.ticket(of: ada)
            let database = try TicketHarness.database(in: api.directory)
            func comment(by author: Int64, isInternal: Bool, after seconds: Int64) async throws {
                let moment = Self.midnight.advanced(bySeconds: seconds).microseconds
                try await database.write { db in
                    try db.execute(
                        sql: """
                            INSERT INTO comments (ticket_id, user_id, content, internal, created_at)
                            VALUES (?, ?, 'x', ?, ?)
                            """, arguments: [id, author, isInternal, moment])
                }
            }
            try await comment(by: root.id, isInternal: true, after: 5)
            try await comment(by: ada.id, isInternal: false, after: 6)
            #expect(try await self.statistics(api, root)["median_first_response_seconds"] == nil)
            try await comment(by: root.id, isInternal: false, after: 7)
            try await comment(by: root.id, isInternal: false, after: 8)
            #expect(try await self.statistics(api, root)["median_first_response_seconds"] == 7)
        }
    }

    @Test("ADM-8, ADM-9: what was there before the figures were kept is in them")
    func migrated() throws {
        let before = try DatabaseQueue()
        let last = try #require(Migrations.all.migrations.last { $0.contains("figures") })
        let names = Migrations.all.migrations
        let index = try #require(names.firstIndex(of: last))
        try Migrations.all.migrate(before, upTo: names[index - 1])
        try before.write { db in
            try db.execute(
                sql: """
                    INSERT INTO users (id, name, email, email_key, role, password_hash, created_at)
                        VALUES (1, 'Root', 'r@x.y', 'r@x.y', 'admin', '', 0), (2, 'Ada', 'a@x.y', 'a@x.y', 'customer', '', 0);
                    INSERT INTO tickets (id, user_id, subject, description, category, priority, status, created_at, updated_at)
                        VALUES (1, 2, 's', 'd', 0, 0, 0, 1000000, 0), (2, 2, 's', 'd', 0, 0, 0, 2000000, 0);
                    INSERT INTO chats (id, ticket_id, customer_id, admin_id) VALUES (1, 1, 2, 1);
                    INSERT INTO messages (chat_id, sender_id, receiver_id, content, created_at)
                        VALUES (1, 2, 1, 'x', 2000000), (1, 1, 2, 'x', 5000000), (1, 1, 2, 'x', 6000000);
                    INSERT INTO comments (ticket_id, user_id, content, internal, created_at)
                        VALUES (1, 1, 'x', 1, 2000000), (2, 1, 'x', 0, 10000000);
                    """)
        }
        try Migrations.all.migrate(before)
        let (figures, found) = try before.read { db in
            let tables = Tables(db: db)
            var query = ManageUsers.Query()
            query.text = "ada"
            return (try tables.statistics(now: Timestamp(microseconds: 0)), try tables.users(query).page.map(\.id))
        }
        #expect(figures.messageDays.last?.count == 3)
        #expect(figures.medianFirstResponseSeconds == 6)
        #expect(found == [2])
    }

    @Test("No figure and no search reads a whole table of tickets, messages or accounts")
    func plans() throws {
        let database = try DatabaseQueue()
        try Migrations.all.migrate(database)
        try database.read { db in
            for (sql, index) in [
                ("SELECT status, priority, category, count(*) FROM tickets GROUP BY 1, 2, 3", "tickets_by_terms"),
                ("SELECT microseconds FROM first_responses ORDER BY 1", "first_responses_by_duration"),
                ("SELECT id FROM users WHERE role = 'admin' AND id <> 1", "users_by_role"),
                ("SELECT id FROM chats WHERE admin_id = 1", "chats_by_admin"),
                ("SELECT name FROM users ORDER BY name COLLATE NOCASE, id LIMIT 10", "users_by_name"),
                ("SELECT name FROM users WHERE role = 'admin' ORDER BY created_at, id LIMIT 10", "users_by_role"),
                ("SELECT name FROM users ORDER BY created_at, id LIMIT 10", "users_by_age"),
                (
                    "SELECT email FROM users WHERE role = 'customer' ORDER BY name COLLATE NOCASE DESC, id DESC LIMIT 10",
                    "users_by_role_and_name"
                ),
                (
                    "SELECT name FROM users WHERE role = 'customer' ORDER BY email_key, id LIMIT 10",
                    "users_by_role_and_email"
                ),
            ] {
                let plan = try Row.fetchAll(db, sql: "EXPLAIN QUERY PLAN \(sql)").map { $0["detail"] as String }
                #expect(plan.count == 1 && plan[0].contains(index), "\(sql): \(plan)")
            }
        }
    }
}
