import GRDB
import NIOHTTP1
import Testing

@testable import TicketAPI

@Suite(.timeLimit(.minutes(3)))
struct UserTests {
    private func names(_ api: TicketHarness, _ query: String, _ admin: TicketHarness.Account) async throws -> [String] {
        let reply = try await api.call(.GET, "/users?\(query)", token: admin.token)
        guard reply.status == 200 else { throw Unexpected(reply) }
        return reply.json["data"].items.compactMap { $0["name"].string }
    }

    private func setRole(
        _ role: String, of id: Int64, by admin: TicketHarness.Account, _ api: TicketHarness
    ) async throws -> TicketHarness.Reply {
        try await api.call(.PATCH, "/users/\(id)", token: admin.token, json: #"{"role":"\#(role)"}"#)
    }

    @Test("ADM-1: users and stats are for admins, and what else is wrong comes later")
    func forAdmins() async throws {
        try await TicketHarness.run { api in
            let ada = try await api.customer("Ada")
            let requests: [(HTTPMethod, String)] = [
                (.GET, "/users"), (.GET, "/users?sort=x"), (.PATCH, "/users/\(ada.id)"), (.PATCH, "/users/999"),
                (.GET, "/stats"), (.GET, "/api/stats"),
            ]
            for (method, path) in requests {
                let json = method == .PATCH ? "{}" : nil
                let reply = try await api.call(method, path, token: ada.token, json: json)
                #expect(reply.status == 403, "\(path)")
                #expect(reply.json == ["message": "This action is unauthorized."])
                #expect(try await api.call(method, path, json: json).status == 401)
            }
        }
    }

    @Test("ADM-2: the list has pages, and of each account its own view, the newest first")
    func list() async throws {
        try await TicketHarness.run { api in
            let root = try await api.admin()
            for index in 1...11 { _ = try await api.customer("User\(index)") }
            let first = try await api.call(.GET, "/users", token: root.token).json
            #expect(first["data"].items.count == 10)
            #expect(first["data"][0].keys == ["id", "name", "email", "role", "created_at"])
            #expect(first["data"][0]["email"] == "user11@example.com")
            #expect(first["meta"]["total"] == 12)
            #expect(first["links"]["next"].string?.hasSuffix("/users?page=2") == true)
            let last = try await api.call(.GET, "/users?page=2", token: root.token).json
            #expect(last["data"].items.map { $0["name"] } == ["User1", "Root"])
            let own = try await api.call(.GET, "/user", token: root.token).json
            #expect(last["data"][1] == own)
            let beyond = try await api.call(.GET, "/users?page=9223372036854775807", token: root.token)
            #expect(beyond.json["data"] == [])
        }
    }

    @Test("ADM-3: filter, sort and page as asked for; what is not allowed is 422")
    func filterAndSort() async throws {
        try await TicketHarness.run { api in
            let root = try await api.admin("root")
            for name in ["Bob", "ada", "Cleo"] { _ = try await api.customer(name) }
            #expect(try await self.names(api, "sort=name", root) == ["ada", "Bob", "Cleo", "root"])
            #expect(try await self.names(api, "sort=-name", root) == ["root", "Cleo", "Bob", "ada"])
            #expect(try await self.names(api, "sort=email&per_page=2", root) == ["ada", "Bob"])
            #expect(try await self.names(api, "sort=created_at", root) == ["root", "Bob", "ada", "Cleo"])
            #expect(try await self.names(api, "sort=-created_at&page=2&per_page=3", root) == ["root"])
            #expect(try await self.names(api, "role=admin", root) == ["root"])
            #expect(try await self.names(api, "role=customer&sort=name", root) == ["ada", "Bob", "Cleo"])
            #expect(try await self.names(api, "role=customer&q=bob", root) == ["Bob"])
            #expect(try await self.names(api, "role=admin&q=bob", root) == [])
            for (query, message) in [
                ("role=owner", "The selected role is invalid."), ("sort=role", "The selected sort is invalid."),
                ("sort=--name", "The selected sort is invalid."), ("sort=-", "The selected sort is invalid."),
                ("page=0", "The page field must be at least 1."),
                ("per_page=101", "The per page field must not be greater than 100."),
                ("q=\(String(repeating: "x", count: 256))", "The q field must not be greater than 255 characters."),
            ] {
                let reply = try await api.call(.GET, "/users?\(query)", token: root.token)
                #expect(reply.status == 422, "\(query)")
                #expect(reply.json["message"] == .string(message))
            }
        }
    }

    @Test("ADM-4: each word searched for begins a word of the name or the address; nothing in it is an operator")
    func search() async throws {
        try await TicketHarness.run { api in
            let root = try await api.admin()
            for (name, email) in [("Ada Lovelace", "ada@maths.org"), ("Grâce O\u{2019}Hopper", "g_race@navy.mil")] {
                let body = """
                    {"name":"\(name)","email":"\(email)","password":"long enough","password_confirmation":"long enough"}
                    """
                #expect(try await api.call(.POST, "/register", json: body).status == 201)
            }
            for query in ["ada", "LOVE", "ada%20love", "love%20ada", "maths", "ada@maths.o", "%22ada%22", "org"] {
                #expect(try await self.names(api, "q=\(query)", root) == ["Ada Lovelace"], "\(query)")
            }
            for query in ["grace", "hopp", "g_race", "navy.mil"] {
                #expect(try await self.names(api, "q=\(query)", root) == ["Grâce O\u{2019}Hopper"], "\(query)")
            }
            for query in [
                "%25", "_", "*", "%22", "%22%22%22", "ada%20OR%20grace", "NOT%20x", "name:ada", "-", "(", "ov",
            ] {
                #expect(try await self.names(api, "q=\(query)", root) == [], "\(query)")
            }
            #expect(try await self.names(api, "q=", root).count == 3)
        }
    }

    @Test("ADM-5: the role is set and nothing else; 404 for an unknown id, 422 for what is no role")
    func roleChange() async throws {
        try await TicketHarness.run { api in
            let root = try await api.admin()
            let ada = try await api.customer("Ada")
            let reply = try await api.call(
                .PATCH, "/users/\(ada.id)", token: root.token,
                json: #"{"role":"admin","name":"Eve","email":"eve@example.com","password":"other password"}"#)
            #expect(reply.status == 200)
            #expect(reply.json["data"]["role"] == "admin")
            #expect(try await api.call(.GET, "/user", token: ada.token).json == reply.json["data"])
            #expect(reply.json["data"]["email"] == "ada@example.com")
            #expect(try await self.setRole("customer", of: root.id, by: ada, api).status == 200)
            #expect(try await api.call(.GET, "/users", token: root.token).status == 403)

            for (body, message) in [
                ("{}", "The role field is required."), (#"{"role":"owner"}"#, "The selected role is invalid."),
                (#"{"role":"Admin"}"#, "The selected role is invalid."),
                (#"{"role":1}"#, "The role field must be a string."),
            ] {
                let wrong = try await api.call(.PATCH, "/users/\(root.id)", token: ada.token, json: body)
                #expect(wrong.status == 422)
                #expect(wrong.json["errors"] == ["role": [.string(message)]])
                let unknown = try await api.call(.PATCH, "/users/999", token: ada.token, json: body)
                #expect(unknown.status == 404)
                #expect(unknown.json == ["message": "User not found."])
            }
            let form = try await api.call(
                .POST, "/users/\(root.id)", token: ada.token, form: "_method=PATCH&role=admin")
            #expect(form.json["data"]["role"] == "admin")
        }
    }

    @Test("ADM-6: the last admin stays, also when all of them are demoted at once, by themselves or by each other")
    func lastAdmin() async throws {
        try await TicketHarness.run { api in
            let root = try await api.admin()
            let alone = try await self.setRole("customer", of: root.id, by: root, api)
            #expect(alone.status == 422)
            #expect(alone.json["errors"] == ["role": ["The last admin cannot be demoted."]])
            #expect(try await self.setRole("admin", of: root.id, by: root, api).status == 200)

            var admins = [root]
            for index in 1...7 { admins.append(try await api.admin("Admin\(index)")) }
            let statuses = try await withThrowingTaskGroup(of: Int.self) { [admins] group in
                for (index, admin) in admins.enumerated() {
                    for target in [admin, admins[(index + 1) % admins.count]] {
                        group.addTask { try await self.setRole("customer", of: target.id, by: admin, api).status }
                    }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(Set(statuses).isSubset(of: [200, 403, 422]))
            let left = try await withThrowingTaskGroup(of: Int.self) { [admins] group in
                for admin in admins {
                    group.addTask { try await api.call(.GET, "/users?role=admin", token: admin.token).status }
                }
                return try await group.reduce(0) { $0 + ($1 == 200 ? 1 : 0) }
            }
            #expect(left >= 1)
        }
    }

    @Test("ADM-6: of the last two admins, demoted by themselves at the same time, one stays")
    func lastTwo() async throws {
        try await TicketHarness.run { api in
            let first = try await api.admin("First")
            let second = try await api.admin("Second")
            for _ in 1...10 {
                async let one = self.setRole("customer", of: first.id, by: first, api)
                async let two = self.setRole("customer", of: second.id, by: second, api)
                let statuses = try await [one.status, two.status]
                #expect(statuses.sorted() == [200, 422])
                let (kept, lost) = statuses[0] == 422 ? (first, second) : (second, first)
                #expect(try await self.setRole("admin", of: lost.id, by: kept, api).status == 200)
            }
        }
    }

    /// A thousand open tickets of `owner`, assigned to `assignee`, each with a chat with that admin.
    private static func assign(_ api: TicketHarness, to assignee: Int64, of owner: Int64) throws {
        try QueryPlans.open(api.directory) { db in
            try db.execute(
                sql: """
                    BEGIN IMMEDIATE;
                    WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 1000)
                    INSERT INTO tickets (user_id, assignee_id, subject, description, category, priority, status,
                        created_at, updated_at) SELECT \(owner), \(assignee), 's', 'd', 0, 0, 0, 0, 0 FROM n;
                    INSERT INTO chats (ticket_id, customer_id, admin_id)
                        SELECT id, user_id, assignee_id FROM tickets WHERE assignee_id = \(assignee);
                    COMMIT;
                    """)
        }
    }

    /// How many tickets and chats an account has as an admin.
    private static func work(leftTo id: Int64, _ api: TicketHarness) throws -> Int? {
        try QueryPlans.open(api.directory) { db in
            try Int.fetchOne(
                db,
                sql: """
                    SELECT (SELECT count(*) FROM tickets WHERE assignee_id = ?1)
                        + (SELECT count(*) FROM chats WHERE admin_id = ?1)
                    """, arguments: [id])
        }
    }

    @Test("ADM-7: others write while a demotion takes an admin off a thousand tickets and chats")
    func demotionBesideOthers() async throws {
        try await TicketHarness.run { api in
            let (root, leaver) = (try await api.admin(), try await api.admin("Leaver"))
            let ada = try await api.customer("Ada")
            let ticket = try await api.ticket(of: ada)
            try Self.assign(api, to: leaver.id, of: ada.id)
            let turns = Turns()
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<2 {
                    group.addTask {
                        while !turns.areOver {
                            let reply = try await api.call(
                                .POST, "/tickets/\(ticket)/comments", token: ada.token, json: #"{"content":"x"}"#)
                            #expect(reply.status == 201)
                        }
                    }
                }
                #expect(try await self.setRole("customer", of: leaver.id, by: root, api).status == 200)
                turns.end()
                try await group.waitForAll()
            }
            let types = try QueryPlans.open(api.directory) { db in
                try String.fetchAll(db, sql: "SELECT type FROM activity ORDER BY id")
            }
            #expect(try Self.work(leftTo: leaver.id, api) == 0)
            #expect(types.count { $0 == "updated" } == 1000)
            // In one transaction nobody's comment would be in between.
            let longest = types.split { $0 != "updated" }.map(\.count).max() ?? 0
            #expect(longest <= 500)
        }
    }

    @Test("ADM-7: what a demotion could not finish is finished after the next start")
    func demotionCutShort() async throws {
        try await TicketHarness.run { api in
            let (root, leaver) = (try await api.admin(), try await api.admin("Leaver"))
            let ada = try await api.customer("Ada")
            try Self.assign(api, to: leaver.id, of: ada.id)
            try await api.stop()
            try QueryPlans.open(api.directory) { db in
                try db.execute(sql: "UPDATE users SET role = 'customer' WHERE id = ?", arguments: [leaver.id])
            }
            try await api.start()
            while try Self.work(leftTo: leaver.id, api) != 0 {
                try await Task.sleep(for: .milliseconds(50))
            }
            let list = try await api.call(.GET, "/tickets?assigned_to=none", token: root.token).json
            #expect(list["meta"]["total"] == 1000)
            await api.broker.wait { $0.events.count { $0.name == "TicketUpdated" } >= 2000 }
        }
    }

    @Test("ADM-7: a demotion takes tickets, chats and live connections, and tells of each ticket; the token lives on")
    func demotion() async throws {
        try await TicketHarness.run { api in
            let first = try await api.admin("First")
            let second = try await api.admin("Second")
            let ada = try await api.customer("Ada")
            var tickets: [Int64] = []
            for index in 0..<3 {
                let id = try await api.ticket(of: ada, subject: "Ticket \(index)")
                tickets.append(id)
                let change = try await api.call(
                    .PATCH, "/tickets/\(id)", token: first.token, json: #"{"assigned_to":\#(first.id)}"#)
                #expect(change.status == 200)
                _ = try await api.post("hello", to: id, as: ada)
            }
            // The chat stays with whom it opened; the ticket moves on.
            _ = try await api.call(
                .PATCH, "/tickets/\(tickets[2])", token: first.token, json: #"{"assigned_to":\#(second.id)}"#)
            let database = try TicketHarness.database(in: api.directory)
            try await database.write { db in
                try db.execute(
                    sql: "INSERT INTO live_sockets SELECT id, '1.' || id, 0 FROM tokens WHERE user_id IN (?, ?)",
                    arguments: [first.id, second.id])
            }
            let third = try await api.admin("Third")
            let told = api.broker.events.count { $0.name == "TicketUpdated" }

            #expect(try await self.setRole("customer", of: first.id, by: third, api).status == 200)
            await api.broker.wait { $0.events.count { $0.name == "TicketUpdated" } >= told + 4 }
            let events = api.broker.events.filter { $0.name == "TicketUpdated" && $0.json["ticket"]["assignee"] == nil }
            #expect(Set(events.map { $0.json["ticket"]["id"].int }) == [tickets[0], tickets[1]])
            #expect(Set(events.map(\.channel)) == ["private-tickets", "private-App.Models.User.\(ada.id)"])
            for (id, assignee) in zip(tickets, [nil, nil, second.id]) {
                let ticket = try await api.call(.GET, "/tickets/\(id)", token: third.token).json["data"]
                #expect(ticket["assignee"]["id"].int == assignee)
                let chat = try await api.call(.GET, "/tickets/\(id)/chat", token: ada.token).json
                #expect(chat["chat"]["admin_id"].int == second.id)
                // What was said was said to whom it was said.
                #expect(chat["messages"][0]["receiver_id"].int == first.id)
                #expect(try await api.post("more", to: id, as: ada).json["data"]["receiver_id"].int == second.id)
            }
            let live = try QueryPlans.open(api.directory) { db in
                try Int64.fetchAll(db, sql: "SELECT user_id FROM live_sockets JOIN tokens ON id = token_id")
            }
            #expect(live == [second.id])
            #expect(try await api.call(.GET, "/user", token: first.token).json["role"] == "customer")
            #expect(try await api.call(.GET, "/tickets/\(tickets[0])", token: first.token).status == 404)
        }
    }
}
