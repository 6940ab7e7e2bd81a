import GRDB
import NIOHTTP1
import Testing
import TicketAPI

@Suite(.timeLimit(.minutes(3)))
struct TokenTests {
    @Test("ACC-16: the caller's tokens and sessions are listed, the newest first, without a secret")
    func list() async throws {
        try await TicketHarness.run { api in
            let (ada, bob) = (try await api.customer("Ada"), try await api.customer("Bob"))
            let phone = try await api.call(
                .POST, "/login", json: #"{"email":"\#(ada.email)","password":"long enough","device_name":"Phone"}"#)
            let browser = Browser(api, headers: [("User-Agent", "Netscape/4.0")])
            try await browser.logIn(ada.email)

            let list = try await api.call(.GET, "/user/tokens", token: ada.token)
            #expect(list.status == 200)
            let tokens = list.json["data"].items
            #expect(tokens.map { $0["name"] } == ["Netscape/4.0", "Phone", "api"])
            #expect(tokens.map { $0["kind"] } == ["session", "token", "token"])
            #expect(tokens.map { $0["current"] } == [false, false, true])
            for token in tokens {
                #expect(
                    token.keys == ["id", "name", "kind", "current", "last_used_at", "expires_at", "created_at"])
            }
            #expect(tokens.map { $0["expires_at"] == .null } == [false, true, true])
            #expect(list.json["meta"]["total"] == 3 && list.json["links"]["next"] == .null)
            for text in [ada.token, try #require(phone.json["token"].string), try #require(browser.session)] {
                let secret = text.suffix(48)
                #expect(!list.text.contains(secret))
            }

            let second = try await api.call(.GET, "/user/tokens?per_page=2&page=2", token: ada.token)
            #expect(second.json["data"].items.map { $0["name"] } == ["api"])
            #expect(second.json["meta"]["last_page"] == 2)
            #expect(try await api.call(.GET, "/user/tokens?page=9223372036854775807", token: ada.token).status == 200)
            #expect(try await api.call(.GET, "/user/tokens?per_page=101", token: ada.token).status == 422)
            #expect(try await api.call(.GET, "/user/tokens", token: bob.token).json["meta"]["total"] == 1)
        }
    }

    @Test("ACC-17: a token or session is ended by its id; another user's is 404 and lives on")
    func delete() async throws {
        try await TicketHarness.run { api in
            let (ada, bob) = (try await api.customer("Ada"), try await api.customer("Bob"))
            let browser = Browser(api)
            try await browser.logIn(ada.email)
            let session = try #require(browser.session?.prefix { $0 != "." })
            let token = ada.token.prefix { $0 != "|" }
            for id in [session, token, "99999"] {
                let reply = try await api.call(.DELETE, "/user/tokens/\(id)", token: bob.token)
                #expect(reply.status == 404 && reply.json == ["message": "Token not found."])
            }
            #expect(try await browser.standing == 200)
            let gone = try await api.call(.DELETE, "/user/tokens/\(session)", token: ada.token)
            #expect(gone.status == 204 && gone.text.isEmpty)
            #expect(try await browser.standing == 401)
            #expect(try await api.call(.DELETE, "/user/tokens/\(session)", token: ada.token).status == 404)
            #expect(try await api.call(.DELETE, "/user/tokens/\(token)", token: ada.token).status == 204)
            #expect(try await api.call(.GET, "/user", token: ada.token).status == 401)
        }
    }

    @Test("ACC-18: a token ends so long after it was made, however much it is used, and is forgotten")
    func lifetime() async throws {
        try await TicketHarness.run(configure: { $0.lifetimes = TokenLifetimes(token: 3600) }) { api in
            let ada = try await api.customer("Ada")
            let browser = Browser(api)
            try await browser.logIn(ada.email)
            api.clock.advance(seconds: 3590)
            let list = try await api.call(.GET, "/user/tokens", token: ada.token)
            #expect(list.status == 200 && list.json["meta"]["total"] == 2)
            #expect(list.json["data"].items.allSatisfy { $0["expires_at"] != .null })
            api.clock.advance(seconds: 11)
            let reply = try await api.call(.GET, "/user", token: ada.token)
            #expect(reply.status == 401 && reply.json == ["message": "Unauthenticated."])
            // Sessions have a time of their own.
            #expect(try await browser.call(.GET, "/user/tokens").json["meta"]["total"] == 1)
            try await api.waitForTokens(1)
        }
    }

    @Test("ACC-18: a token ends so long after its last use, and is forgotten")
    func idle() async throws {
        try await TicketHarness.run(configure: { $0.lifetimes = TokenLifetimes(idleToken: 3600) }) { api in
            let (ada, bob) = (try await api.customer("Ada"), try await api.customer("Bob"))
            api.clock.advance(seconds: 3000)
            #expect(try await api.call(.GET, "/user", token: ada.token).status == 200)
            try await api.waitForUse(ofToken: ada.token.prefix { $0 != "|" })
            api.clock.advance(seconds: 3000)
            #expect(try await api.call(.GET, "/user", token: ada.token).status == 200)
            #expect(try await api.call(.GET, "/user", token: bob.token).status == 401)
            try await api.waitForTokens(1)
        }
    }

    @Test("ACC-19: when a token was last used is written, at most once a minute")
    func lastUse() async throws {
        try await TicketHarness.run { api in
            let ada = try await api.customer("Ada")
            let id = ada.token.prefix { $0 != "|" }
            #expect(try api.lastUse(ofToken: id) == nil)
            let first = try await api.call(.GET, "/user/tokens", token: ada.token)
            #expect(first.json["data"][0]["last_used_at"] == .null)
            try await api.waitForUse(ofToken: id)
            let noted = try #require(try api.lastUse(ofToken: id))
            api.clock.advance(seconds: 30)
            #expect(try await api.call(.GET, "/user", token: ada.token).status == 200)
            let bob = try await api.customer("Bob")
            #expect(try await api.call(.GET, "/user", token: bob.token).status == 200)
            // What was noted later is there, so the earlier use would be too.
            try await api.waitForUse(ofToken: bob.token.prefix { $0 != "|" })
            #expect(try api.lastUse(ofToken: id) == noted)
            api.clock.advance(seconds: 31)
            let list = try await api.call(.GET, "/user/tokens", token: ada.token)
            #expect(list.json["data"][0]["last_used_at"].string != nil)
            try await api.waitForUse(ofToken: id, after: noted)
        }
    }

    @Test("ACC-19: a database that cannot be written lets those in who only read")
    func readOnlyDisk() async throws {
        try await TicketHarness.run { api in
            let ada = try await api.customer("Ada")
            let blocker = try DatabaseQueue(path: "\(api.directory)/tickets.sqlite")
            try await blocker.writeWithoutTransaction { db in
                try db.execute(
                    sql: """
                        CREATE TRIGGER full BEFORE UPDATE OF last_used_at ON tokens
                        BEGIN SELECT RAISE(ABORT, 'full'); END
                        """)
            }
            for _ in 0..<20 { #expect(try await api.call(.GET, "/user", token: ada.token).status == 200) }
            #expect(try api.lastUse(ofToken: ada.token.prefix { $0 != "|" }) == nil)
        }
    }

    @Test("No hot query on tokens scans the table")
    func plans() async throws {
        try await TicketHarness.run { api in
            let database = try DatabaseQueue(path: "\(api.directory)/tickets.sqlite")
            for (sql, index) in [
                ("SELECT id, user_id FROM tokens WHERE kind = 'token' AND created_at <= 5 LIMIT 9", "tokens_by_age"),
                (
                    """
                    SELECT id, user_id FROM tokens
                    WHERE kind = 'session' AND coalesce(last_used_at, created_at) <= 5 LIMIT 9
                    """, "tokens_by_use"
                ),
            ] {
                let plan = try database.read { try Row.fetchAll($0, sql: "EXPLAIN QUERY PLAN \(sql)") }
                #expect(plan.map { $0["detail"] as String }.contains { $0.contains(index) })
            }
        }
    }
}

extension TicketHarness {
    private func read<T: Sendable>(_ body: @Sendable (Database) throws -> T) throws -> T {
        try DatabaseQueue(path: "\(self.directory)/tickets.sqlite").read(body)
    }

    /// Microseconds since 1970.
    func lastUse(ofToken id: some StringProtocol & Sendable) throws -> Int64? {
        try self.read { db in
            try Int64.fetchOne(db, sql: "SELECT last_used_at FROM tokens WHERE id = ?", arguments: [String(id)])
        }
    }

    /// Asks again and again, until the test's time limit.
    func waitForUse(ofToken id: some StringProtocol & Sendable, after: Int64 = 0) async throws {
        while try self.lastUse(ofToken: id) ?? 0 <= after { try await Task.sleep(for: .milliseconds(5)) }
    }

    /// The use that has just been.
    func waitForUse(notedBy browser: Browser) async throws {
        let id = browser.session?.prefix { $0 != "." } ?? ""
        try await self.waitForUse(ofToken: id, after: self.clock.now.advanced(bySeconds: -600).microseconds)
    }

    /// Until there are only so many rows of tokens.
    func waitForTokens(_ count: Int) async throws {
        while try self.read({ try Int.fetchOne($0, sql: "SELECT count(*) FROM tokens WHERE id > 0") }) != count {
            try await Task.sleep(for: .milliseconds(5))
        }
    }
}
