import Foundation
import GRDB
import NIOHTTP1
import Testing

@testable import TicketAPI

@Suite(.timeLimit(.minutes(3)))
struct QueryPlanTests {
    @Test("TIC-17: no list reads a table as a whole, whatever its filters and order (the harness looks at every query)")
    func lists() async throws {
        try await TicketHarness.run { api in
            let ada = try await api.customer("Ada")
            let root = try await api.admin()
            let id = try await api.ticket(of: ada)
            _ = try await api.post("hello", to: id, as: ada)
            let filters = [
                "status=Open", "priority=Low", "category=Technical", "assigned_to=none", "user_id=\(ada.id)",
            ]
            let sorts = ["created_at", "updated_at", "priority", "status"].flatMap { [$0, "-\($0)"] }
            for sort in sorts {
                for chosen in 0..<(1 << filters.count) {
                    let query = filters.indices.filter { chosen & 1 << $0 != 0 }.map { filters[$0] }
                    let path = "/tickets?\((query + ["sort=\(sort)"]).joined(separator: "&"))"
                    let reply = try await api.call(.GET, path, token: root.token)
                    #expect(reply.json["meta"]["total"] == 1, "\(path)")
                }
                for q in ["", "&q=broken", "&q=broken&status=Open"] {
                    let reply = try await api.call(.GET, "/tickets?sort=\(sort)\(q)", token: ada.token)
                    #expect(reply.json["meta"]["total"] == 1)
                }
            }
        }
    }

    @Test("What the harness looks for is found: a table, or an index of no use, that is read as a whole")
    func faults() async throws {
        try await TicketHarness.run { api in
            try QueryPlans.open(api.directory) { (db: Database) throws -> Void in
                for statement in [
                    "SELECT id FROM tickets WHERE subject = 'x'", "SELECT id FROM messages ORDER BY created_at",
                    "DELETE FROM tokens WHERE name = 'x'", "SELECT count(*) FROM messages", "SELECT rowid FROM search",
                    "SELECT (SELECT count(*) FROM comments c WHERE c.content = t.subject) FROM tickets t WHERE t.id = 1",
                ] {
                    #expect(try !QueryPlans.faults(of: statement, db).isEmpty, "\(statement)")
                }
                #expect(try QueryPlans.faults(of: "SELECT id FROM tickets WHERE id = 1", db).isEmpty)
            }
        }
    }

    @Test("Every foreign key has an index on its own side, so that a deletion reads no table as a whole")
    func foreignKeys() async throws {
        try await TicketHarness.run { api in
            try QueryPlans.open(api.directory) { (db: Database) throws -> Void in
                let tables = try String.fetchAll(
                    db, sql: "SELECT name FROM sqlite_master WHERE type = 'table' AND sql NOT LIKE '%VIRTUAL%'")
                var count = 0
                for table in tables {
                    let indexes = try db.indexes(on: table).map(\.columns) + [try db.primaryKey(table).columns]
                    for key in try db.foreignKeys(on: table) {
                        count += 1
                        let columns = key.mapping.map(\.origin)
                        #expect(
                            indexes.contains { Array($0.prefix(columns.count)) == columns },
                            "\(table) (\(columns)) has no index")
                    }
                }
                #expect(count > 15)
            }
        }
    }
}
