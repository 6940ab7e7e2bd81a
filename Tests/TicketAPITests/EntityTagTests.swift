import NIOHTTP1
import Testing

@Suite(.timeLimit(.minutes(3)))
struct EntityTagTests {
    @Test(
        "TIC-15: a ticket's tag is strong, the same for every reader, and another one after each change of the ticket")
    func tags() async throws {
        try await TicketHarness.run { api in
            let ada = try await api.customer("Ada")
            let root = try await api.admin()
            let created = try await api.call(
                .POST, "/tickets", token: ada.token,
                json: #"{"subject":"s","description":"d","category":"General","priority":"Low"}"#)
            let id = try #require(created.json["data"]["id"].int)
            let path = "/tickets/\(id)"
            func tag(_ account: TicketHarness.Account, _ method: HTTPMethod = .GET, _ json: String? = nil) async throws
                -> String?
            {
                try await api.call(method, path, token: account.token, json: json).headers.first(name: "ETag")
            }
            let first = try #require(created.headers.first(name: "ETag"))
            #expect(first.wholeMatch(of: /"[!#-~]+"/) != nil)
            #expect(try await tag(ada) == first)
            #expect(try await tag(root) == first)
            #expect(try await tag(ada, .HEAD) == first)

            // What depends on the reader changes without the tag, so nobody is told "not modified".
            _ = try await api.post("hello", to: id, as: ada)
            let again = try await api.call(.GET, path, token: root.token, headers: [("If-None-Match", first)])
            #expect(again.status == 200 && again.json["data"]["unread_count"] == 1)
            #expect(again.headers.first(name: "ETag") == first)

            #expect(try await tag(ada, .PATCH, #"{"subject":"s","unknown":1}"#) == first)
            var seen: Set = [first]
            for (account, body) in [
                (ada, #"{"subject":"t"}"#), (ada, #"{"subject":"s"}"#), (root, #"{"status":"Resolved"}"#),
                (root, #"{"assigned_to":\#(root.id)}"#), (root, #"{"priority":"High","category":"Billing"}"#),
            ] {
                let changed = try #require(try await tag(account, .PUT, body))
                #expect(seen.insert(changed).inserted)
                #expect(try await tag(ada) == changed)
                #expect(try await tag(root) == changed)
            }
            let other = try await api.ticket(of: ada)
            let reply = try await api.call(.GET, "/tickets/\(other)", token: ada.token)
            #expect(seen.insert(try #require(reply.headers.first(name: "ETag"))).inserted)
        }
    }

    /// `If-Match` as it is sent, with `TAG` for the ticket's tag, and whether it allows the change.
    struct Condition: Sendable, CustomStringConvertible {
        let fields: [String]
        let allows: Bool

        init(_ fields: String..., allows: Bool) {
            self.fields = fields
            self.allows = allows
        }

        var description: String { "\(self.fields)" }
    }

    @Test(
        "TIC-16: If-Match takes a tag, a list or *; a stale, weak or malformed one is 412 and changes nothing",
        arguments: [
            Condition("TAG", allows: true), Condition("*", allows: true), Condition(" * ", allows: true),
            Condition("\"x\", TAG", allows: true), Condition("TAG,\"x\"", allows: true),
            Condition("W/\"y\" , , TAG", allows: true), Condition("\"a,b\",TAG", allows: true),
            Condition("\"x\"", "TAG", allows: true), Condition("\"x\"", allows: false),
            Condition("\"\"", allows: false),
            Condition("W/TAG", allows: false), Condition("", allows: false), Condition(",", allows: false),
            Condition("x", allows: false), Condition("\"x", allows: false), Condition("TAG x", allows: false),
            Condition("TAGTAG", allows: false), Condition("*, TAG", allows: false), Condition("TAG, *", allows: false),
            Condition("w/TAG", allows: false), Condition("**", allows: false),
        ])
    func conditions(_ condition: Condition) async throws {
        try await TicketHarness.run { api in
            let ada = try await api.customer("Ada")
            let root = try await api.admin()
            let id = try await api.ticket(of: ada)
            let path = "/tickets/\(id)"
            func call(_ method: HTTPMethod, _ json: String? = nil) async throws -> TicketHarness.Reply {
                let tag = try #require(
                    try await api.call(.GET, path, token: ada.token).headers.first(name: "ETag"))
                let headers = condition.fields.map { ("If-Match", $0.replacing("TAG", with: tag)) }
                return try await api.call(method, path, token: root.token, json: json, headers: headers)
            }
            for method in [HTTPMethod.PATCH, .PUT] {
                let reply = try await call(method, #"{"subject":"by \#(method)"}"#)
                #expect(reply.status == (condition.allows ? 200 : 412))
                if !condition.allows {
                    #expect(reply.json == ["message": "The ticket has changed since."])
                    #expect(reply.headers.first(name: "ETag") == nil)
                }
                let shown = try await api.call(.GET, path, token: ada.token)
                #expect(shown.json["data"]["subject"] == .string(condition.allows ? "by \(method)" : "Broken"))
            }
            #expect(try await call(.DELETE).status == (condition.allows ? 204 : 412))
            #expect(try await api.call(.GET, path, token: ada.token).status == (condition.allows ? 404 : 200))
        }
    }

    @Test("TIC-16: 401, 404 and 403 come before 412, and 412 before 422")
    func order() async throws {
        try await TicketHarness.run { api in
            let (ada, bob) = (try await api.customer("Ada"), try await api.customer("Bob"))
            let root = try await api.admin()
            let id = try await api.ticket(of: ada)
            func status(_ token: String?, _ method: HTTPMethod, _ json: String? = nil) async throws -> Int {
                try await api.call(
                    method, "/tickets/\(id)", token: token, json: json, headers: [("If-Match", "\"stale\"")]
                ).status
            }
            #expect(try await status(nil, .PATCH, "{}") == 401)
            for match in ["\"stale\"", "*"] {
                let reply = try await api.call(
                    .PATCH, "/tickets/\(id)", token: bob.token, json: "{}", headers: [("If-Match", match)])
                #expect(reply.status == 404)
            }
            #expect(try await status(ada.token, .PATCH, #"{"status":"Closed"}"#) == 403)
            #expect(try await status(ada.token, .DELETE) == 403)
            #expect(try await status(ada.token, .PATCH, #"{"subject":""}"#) == 412)
            #expect(try await status(root.token, .PATCH, #"{"assigned_to":999}"#) == 412)
            #expect(try await status(root.token, .PATCH, "{}") == 412)
            #expect(try await status(root.token, .DELETE) == 412)
        }
    }

    @Test("TIC-16: of two changes at the same time with the same tag, one is made and the other is 412")
    func race() async throws {
        try await TicketHarness.run { api in
            let ada = try await api.customer("Ada")
            let id = try await api.ticket(of: ada)
            for round in 0..<20 {
                let shown = try await api.call(.GET, "/tickets/\(id)", token: ada.token)
                let tag = try #require(shown.headers.first(name: "ETag"))
                let statuses = try await withThrowingTaskGroup(of: Int.self) { group in
                    for index in 0..<4 {
                        group.addTask {
                            try await api.call(
                                .PATCH, "/tickets/\(id)", token: ada.token,
                                json: #"{"subject":"\#(round) \#(index)"}"#, headers: [("If-Match", tag)]
                            ).status
                        }
                    }
                    return try await group.reduce(into: []) { $0.append($1) }
                }
                #expect(statuses.sorted() == [200, 412, 412, 412])
            }
        }
    }
}
