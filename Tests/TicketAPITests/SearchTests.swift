import Foundation
import GRDB
import NIOHTTP1
import Testing

@testable import TicketAPI

@Suite(.timeLimit(.minutes(3)))
struct SearchTests {
    private static func ticket(
        _ api: TicketHarness, _ account: TicketHarness.Account, _ subject: String, _ description: String
    ) async throws -> Int64 {
        let reply = try await api.call(
            .POST, "/tickets", token: account.token,
            json: """
                {"subject":"\(subject)","description":"\(description)","category":"Technical","priority":"Low"}
                """)
        return try #require(reply.json["data"]["id"].int)
    }

    /// The ids that are found, in ascending order. The total says the same number.
    private static func found(_ api: TicketHarness, _ account: TicketHarness.Account, _ q: String) async throws
        -> [Int64]
    {
        let reply = try await api.call(
            .GET, "/tickets?sort=created_at&per_page=100&q=\(FormCoding.encode(q))", token: account.token)
        guard reply.status == 200 else { throw Unexpected(reply) }
        let ids = reply.json["data"].items.compactMap { $0["id"].int }
        #expect(reply.json["meta"]["total"] == .int(Int64(ids.count)))
        return ids
    }

    /// FTS5 compares its index with the texts of tickets and messages, and throws when they differ.
    private static func checkIndex(_ api: TicketHarness) throws {
        try QueryPlans.open(api.directory) {
            try $0.execute(sql: "INSERT INTO search (search, rank) VALUES ('integrity-check', 1)")
        }
    }

    @Test("TIC-12: every word must be found, in subject, description or a message, whatever case, accents and ending")
    func words() async throws {
        try await TicketHarness.run { api in
            let ada = try await api.customer("Ada")
            let one = try await Self.ticket(api, ada, "The printer jams", "It stands in the café, E-1234.")
            let two = try await Self.ticket(api, ada, "Paper", "A jam of Ünïcödé and naïve ones")
            _ = try await api.post("My address is ada.l@example.com; JAMMED again", to: one, as: ada)
            _ = try await api.post("Straße 10.0.0.1", to: two, as: ada)
            for (q, expected) in [
                ("printer", [one]), ("PRINTERS", [one]), ("jams cafe", [one]), ("café jam", [one]),
                ("jam", [one, two]),
                ("paper", [two]), ("unicode naive", [two]), ("printer example.com", [one]), ("e-1234", [one]),
                ("ada.l@example.com jams", [one]), ("10.0.0.1", [two]), ("printer paper", []), ("prin", []),
                ("jam jams jammed jamming", [one, two]), ("10.0.0.2", []), ("straße", [two]),
                ("paper stra\u{df}e un\u{ef}code", [two]), ("cafe\u{301}", [one]),
            ] {
                #expect(try await Self.found(api, ada, q) == expected, "\(q)")
            }
            try Self.checkIndex(api)
        }
    }

    @Test(
        "TIC-13: what is typed is never a query language",
        arguments: [
            "\"", "\"\"", "*", "-", ":", "(", ")", "^", "+", "{", "}", "'", "\\", "%", "_", ";", "?", "!!!", "…", "—",
            "\u{200b}.",
            "\" OR 1=1 --", "NEAR", "NEAR(a b)", "broken AND NOT", "AND", "OR", "NOT broken", "bro*", "*broken",
            "subject:broken", "text:broken", "broken\"", "\"broken is\"", "^broken", "broken + is", "search", "rank",
            "\u{1f600}", "\u{301}", "\u{fffd}", "broken\u{202e}", String(repeating: "\"", count: 255),
            String(repeating: "x", count: 255), String(repeating: "()", count: 127),
        ])
    func neverSyntax(_ q: String) async throws {
        try await TicketHarness.run { api in
            let ada = try await api.customer("Ada")
            let id = try await api.ticket(of: ada)
            let words = q.lowercased().split { !$0.isASCII || !($0.isLetter || $0.isNumber) }
            let isThere = !words.isEmpty && words.allSatisfy { ["broken", "it", "is"].contains($0) }
            #expect(try await Self.found(api, ada, q) == (isThere ? [id] : []))
        }
    }

    @Test(
        "TIC-13: a text above 255 characters, of more than 16 words or with a NUL is 422; an empty one filters nothing")
    func bounds() async throws {
        try await TicketHarness.run { api in
            let ada = try await api.customer("Ada")
            let id = try await api.ticket(of: ada)
            func reply(_ q: String) async throws -> TicketHarness.Reply {
                try await api.call(.GET, "/tickets?q=\(q)", token: ada.token)
            }
            for (q, message) in [
                (String(repeating: "x", count: 256), "The q field must not be greater than 255 characters."),
                ("a%00b", "The q field format is invalid."),
                ((1...17).map(String.init).joined(separator: "+"), "The q field must not have more than 16 words."),
            ] {
                let reply = try await reply(q)
                #expect(reply.status == 422)
                #expect(reply.json["errors"] == ["q": [.string(message)]])
            }
            #expect(try await reply((1...16).map(String.init).joined(separator: "+")).status == 200)
            #expect(try await reply(String(repeating: "broken+", count: 30)).json["data"][0]["id"] == .int(id))
            for q in ["", "+++", "%00"] { #expect(try await reply(q).json["meta"]["total"] == 1) }
            #expect(try await api.call(.GET, "/tickets?q", token: ada.token).json["meta"]["total"] == 1)
            #expect(try await reply("%ff%fe").json["meta"]["total"] == 0)
        }
    }

    @Test("TIC-12: a customer finds the own tickets only; comments and attachments are never searched")
    func audience() async throws {
        try await TicketHarness.run { api in
            let (ada, bob) = (try await api.customer("Ada"), try await api.customer("Bob"))
            let root = try await api.admin()
            let adas = try await Self.ticket(api, ada, "Printer", "alpha")
            let bobs = try await Self.ticket(api, bob, "Printer", "beta")
            _ = try await api.post("toner", to: bobs, as: root)
            try QueryPlans.open(api.directory) { (db: Database) throws -> Void in
                for isInternal in [0, 1] {
                    try db.execute(
                        sql: """
                            INSERT INTO comments (ticket_id, user_id, content, internal, created_at)
                            VALUES (?, ?, 'canary', ?, 1)
                            """, arguments: [adas, root.id, isInternal])
                }
            }
            #expect(try await Self.found(api, ada, "printer") == [adas])
            #expect(try await Self.found(api, bob, "printer") == [bobs])
            #expect(try await Self.found(api, root, "printer") == [adas, bobs])
            #expect(try await Self.found(api, ada, "toner") == [])
            #expect(try await Self.found(api, ada, "beta") == [])
            #expect(try await Self.found(api, bob, "toner printer") == [bobs])
            for account in [ada, root] { #expect(try await Self.found(api, account, "canary") == []) }
        }
    }

    @Test("TIC-14: a change is found at once and the old text no more; a deleted ticket and its messages are not found")
    func kept() async throws {
        try await TicketHarness.run { api in
            let ada = try await api.customer("Ada")
            let root = try await api.admin()
            let one = try await Self.ticket(api, ada, "Printer", "alpha common")
            let two = try await Self.ticket(api, ada, "Scanner", "beta common")
            for id in [one, two] { _ = try await api.post("toner \(id)", to: id, as: ada) }
            let path = "/tickets/\(one)"
            _ = try await api.call(.PATCH, path, token: ada.token, json: #"{"subject":"Plotter"}"#)
            #expect(try await Self.found(api, ada, "printer") == [])
            #expect(try await Self.found(api, ada, "plotter alpha toner") == [one])
            _ = try await api.call(.PATCH, path, token: ada.token, json: #"{"description":"gamma common"}"#)
            #expect(try await Self.found(api, ada, "alpha") == [])
            #expect(try await Self.found(api, ada, "plotter gamma") == [one])
            _ = try await api.call(.PATCH, path, token: root.token, json: #"{"status":"Closed"}"#)
            #expect(try await Self.found(api, ada, "common") == [one, two])
            try Self.checkIndex(api)
            #expect(try await api.call(.DELETE, path, token: root.token).status == 204)
            #expect(try await Self.found(api, root, "common") == [two])
            #expect(try await Self.found(api, root, "toner") == [two])
            try Self.checkIndex(api)
            // Nothing of it is left in the index either, whoever asks it.
            try QueryPlans.open(api.directory) { (db: Database) throws -> Void in
                let rows = try Int64.fetchAll(db, sql: "SELECT rowid >> 32 FROM search WHERE search MATCH 'toner'")
                #expect(rows == [two])
                try db.execute(sql: "UPDATE messages SET content = 'ink'")
                try db.execute(sql: "INSERT INTO search (search, rank) VALUES ('integrity-check', 1)")
                try db.execute(sql: "UPDATE messages SET content = NULL")
                try db.execute(sql: "INSERT INTO search (search, rank) VALUES ('integrity-check', 1)")
                try db.execute(sql: "UPDATE messages SET content = 'ribbon'")
                try db.execute(sql: "DELETE FROM messages")
                try db.execute(sql: "INSERT INTO search (search, rank) VALUES ('integrity-check', 1)")
                // The check itself sees a text that the index does not know.
                try db.execute(sql: "DROP TRIGGER tickets_search_update; UPDATE tickets SET subject = 'unknown'")
                #expect(throws: DatabaseError.self) {
                    try db.execute(sql: "INSERT INTO search (search, rank) VALUES ('integrity-check', 1)")
                }
            }
        }
    }

    @Test("TIC-8, TIC-12: a search goes with every filter and order; the total is exact, few tickets found or many")
    func combinations() async throws {
        try await TicketHarness.run { api in
            let ada = try await api.customer("Ada")
            let bob = try await api.customer("Bob")
            let root = try await api.admin()
            let count = 1300
            // "many" is in more tickets than are read one by one, "few" in fewer, "in" a message only.
            try QueryPlans.open(api.directory) { (db: Database) throws -> Void in
                try db.execute(
                    sql: """
                        WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < \(count))
                        INSERT INTO tickets (user_id, assignee_id, subject, description, category, priority, status,
                            created_at, updated_at)
                        SELECT iif(i % 10 = 0, \(bob.id), \(ada.id)), iif(i % 4 = 0, \(root.id), NULL),
                            iif(i % 2 = 0, 'many', 'other'), iif(i % 30 = 0, 'few', 'x'), i % 3, i / 3 % 3, i / 9 % 4,
                            1000000 + i / 2, 2000000 + i * 7919 % 1000 FROM n;
                        INSERT INTO chats (ticket_id, customer_id) SELECT id, user_id FROM tickets;
                        INSERT INTO messages (chat_id, sender_id, content, created_at)
                        SELECT c.id, c.customer_id, 'said many', 1 FROM chats c JOIN tickets t ON t.id = c.ticket_id
                        WHERE t.id % 5 = 0;
                        """)
            }
            let filters: [(query: String, test: (Int64) -> Bool)] = [
                ("", { _ in true }), ("status=Open", { $0 / 9 % 4 == 0 }), ("priority=High", { $0 / 3 % 3 == 2 }),
                ("category=General&assigned_to=none", { $0 % 3 == 2 && $0 % 4 != 0 }),
                ("assigned_to=\(root.id)&status=Closed", { $0 % 4 == 0 && $0 / 9 % 4 == 3 }),
                ("user_id=\(bob.id)", { $0 % 10 == 0 }),
            ]
            let words: [(q: String, test: (Int64) -> Bool)] = [
                ("many", { $0 % 2 == 0 || $0 % 5 == 0 }), ("few", { $0 % 30 == 0 }), ("said", { $0 % 5 == 0 }),
                ("said other", { $0 % 5 == 0 && $0 % 2 == 1 }), ("many said few", { $0 % 30 == 0 }),
            ]
            let sorts: [(name: String, key: (Int64) -> Int64)] = [
                ("created_at", { $0 / 2 }), ("updated_at", { $0 * 7919 % 1000 }), ("priority", { $0 / 3 % 3 }),
                ("status", { $0 / 9 % 4 }),
            ]
            for (account, sees) in [(root, { _ in true }), (bob, { (id: Int64) in id % 10 == 0 })] {
                for (q, isFound) in words {
                    for (filter, passes) in filters {
                        let all = (1...Int64(count)).filter { sees($0) && isFound($0) && passes($0) }
                        let (sort, key) = try #require(sorts.randomElement())
                        let isDescending = Bool.random()
                        let ordered = all.sorted {
                            isDescending ? (key($1), $1) < (key($0), $0) : (key($0), $0) < (key($1), $1)
                        }
                        let page = Int.random(in: 1...3)
                        let path =
                            "/tickets?q=\(FormCoding.encode(q))&\(filter)&per_page=7&page=\(page)"
                            + "&sort=\(isDescending ? "-" : "")\(sort)"
                        let reply = try await api.call(.GET, path, token: account.token)
                        #expect(reply.json["meta"]["total"] == .int(Int64(all.count)), "\(path)")
                        let ids = reply.json["data"].items.compactMap { $0["id"].int }
                        #expect(ids == Array(ordered.dropFirst((page - 1) * 7).prefix(7)), "\(path)")
                    }
                }
            }
            try Self.checkIndex(api)
        }
    }

    @Test("TIC-7: the links of a search keep it, encoded, with all else that was asked")
    func links() async throws {
        try await TicketHarness.run { api in
            let ada = try await api.customer("Ada")
            for _ in 1...3 { _ = try await api.ticket(of: ada, subject: "Broken & café") }
            let reply = try await api.call(
                .GET, "/tickets?page=2&q=caf%C3%A9+%26&per_page=1&unknown=1&status=Open", token: ada.token)
            let base = "http://127.0.0.1:\(api.port)/tickets?q=caf%C3%A9%20%26&per_page=1&unknown=1&status=Open"
            #expect(
                reply.json["links"] == [
                    "first": .string("\(base)&page=1"), "last": .string("\(base)&page=3"),
                    "prev": .string("\(base)&page=1"), "next": .string("\(base)&page=3"),
                ])
            #expect(reply.json["meta"]["total"] == 3 && reply.json["meta"]["per_page"] == 1)
            let next = try #require(reply.json["links"]["next"].string)
            let last = try await api.call(
                .GET, String(next.dropFirst("http://127.0.0.1:\(api.port)".count)), token: ada.token)
            #expect(last.json["meta"]["current_page"] == 3 && last.json["links"]["next"] == nil)
            #expect(last.json["data"].items.count == 1)
        }
    }
}
