import GRDB
import NIOHTTP1
import Testing

/// A token that the server remembers is believed no longer than its row is there.
@Suite(.timeLimit(.minutes(3)))
struct RememberedTokenTests {
    private static let requests: [(method: HTTPMethod, path: String, body: String?)] = [
        (.GET, "/tickets/1", nil), (.POST, "/tickets/1/chat/messages", #"{"content":"x"}"#),
        (.POST, "/tickets/1/chat/messages", "{"), (.POST, "/tickets/1/chat/messages", "{}"),
    ]

    @Test("ACC: a token that was used before is nothing after its end, whoever ended it and whatever the body")
    func end() async throws {
        try await TicketHarness.run { api in
            let ada = try await api.customer("Ada")
            #expect(try await api.ticket(of: ada) == 1)
            let login = #"{"email":"\#(ada.email)","password":"long enough"}"#
            for byOther in [false, true] {
                let token = try #require(try await api.call(.POST, "/login", json: login).json["token"].string)
                for request in Self.requests.prefix(2) {
                    let reply = try await api.call(request.method, request.path, token: token, json: request.body)
                    #expect(reply.status < 300)
                }
                if byOther {
                    try QueryPlans.open(api.directory) { try $0.execute(sql: "DELETE FROM tokens") }
                } else {
                    #expect(try await api.call(.POST, "/logout", token: token).status == 200)
                }
                for request in Self.requests {
                    let reply = try await api.call(request.method, request.path, token: token, json: request.body)
                    #expect(reply.status == 401, "\(request)")
                }
            }
        }
    }

    @Test("ACC: a role that another process took away is gone with the next request")
    func role() async throws {
        try await TicketHarness.run { api in
            let (root, ada) = (try await api.admin(), try await api.customer("Ada"))
            let id = try await api.ticket(of: ada)
            #expect(try await api.call(.GET, "/tickets/\(id)", token: root.token).status == 200)
            try QueryPlans.open(api.directory) { try $0.execute(sql: "UPDATE users SET role = 'customer'") }
            #expect(try await api.call(.GET, "/tickets/\(id)", token: root.token).status == 404)
        }
    }

    /// Requests that write, with a body that takes its time.
    private static let writes: [(method: String, path: String, body: String)] = [
        ("POST", "/tickets", #"{"subject":"s","description":"d","category":"General","priority":"Low"}"#),
        ("PATCH", "/tickets/1", #"{"status":"Closed"}"#), ("POST", "/tickets/1", "_method=DELETE"),
        ("POST", "/tickets/1/comments", #"{"content":"note","internal":true}"#),
        ("POST", "/tickets/1/chat/messages", #"{"content":"x"}"#),
        ("POST", "/tickets/1/chat/read", #"{"message_id":1}"#),
        ("PATCH", "/users/2", #"{"role":"admin"}"#), ("POST", "/user/tokens/2", "_method=DELETE"),
        (
            "PUT", "/user/password",
            #"{"current_password":"long enough","password":"much longer","password_confirmation":"much longer"}"#
        ),
    ]

    /// The status of the answer to `request`, in the middle of whose body `change` happens: after the server has looked
    /// the token up, which it notes.
    private static func status(
        of request: (method: String, path: String, body: String), token: String, _ api: TicketHarness,
        while change: String
    ) async throws -> String {
        let type = request.body.hasPrefix("{") ? "application/json" : "application/x-www-form-urlencoded"
        let answer = try await RawRequest.send(
            """
            \(request.method) \(request.path) HTTP/1.1\r
            Host: h\r
            Authorization: Bearer \(token)\r
            Content-Type: \(type)\r
            Content-Length: \(request.body.utf8.count)\r
            \r
            \(request.body.prefix(1))
            """, port: api.port, then: String(request.body.dropFirst())
        ) {
            let isNoted = "SELECT last_used_at IS NOT NULL FROM tokens WHERE id = \(token.prefix { $0 != "|" })"
            while try QueryPlans.open(api.directory, { try Bool.fetchOne($0, sql: isNoted) }) == false {
                try await Task.sleep(for: .milliseconds(10))
            }
            try QueryPlans.open(api.directory) { try $0.execute(sql: change) }
        }
        return String(answer.split(separator: " ").dropFirst().first ?? "")
    }

    /// What the requests above would change.
    private static func state(_ api: TicketHarness) throws -> [String] {
        try QueryPlans.open(api.directory) { db in
            try String.fetchAll(
                db,
                sql: """
                    SELECT 'ticket ' || id || ' ' || status FROM tickets UNION ALL SELECT content FROM comments
                    UNION ALL SELECT content FROM messages UNION ALL SELECT 'mark ' || message_id FROM read_marks
                    UNION ALL SELECT 'user ' || id || ' ' || (id > 1 AND role = 'admin') || password_hash FROM users
                    UNION ALL SELECT 'token ' || id FROM tokens WHERE user_id > 1
                    """)
        }
    }

    @Test("ACC-20: whose token ends while a request is on its way changes nothing with it", arguments: 0..<9)
    func endWhileAsking(_ index: Int) async throws {
        try await TicketHarness.run { api in
            let (root, ada) = (try await api.admin(), try await api.customer("Ada"))
            let ticket = try await api.ticket(of: ada)
            _ = try await api.post("hello", to: ticket, as: ada)
            let before = try Self.state(api)
            let status = try await Self.status(
                of: Self.writes[index], token: root.token, api, while: "DELETE FROM tokens WHERE user_id = \(root.id)")
            #expect(status == "401", "\(Self.writes[index])")
            #expect(try Self.state(api) == before)
        }
    }

    @Test("ACC-20: who is made a customer while a request is on its way does what a customer may", arguments: 1..<7)
    func demotionWhileAsking(_ index: Int) async throws {
        try await TicketHarness.run { api in
            let (root, ada) = (try await api.admin(), try await api.customer("Ada"))
            let ticket = try await api.ticket(of: ada)
            _ = try await api.post("hello", to: ticket, as: ada)
            let before = try Self.state(api)
            let status = try await Self.status(
                of: Self.writes[index], token: root.token, api, while: "UPDATE users SET role = 'customer'")
            #expect(status == (index == 6 ? "403" : "404"), "\(Self.writes[index])")
            #expect(try Self.state(api) == before)
        }
    }
}
