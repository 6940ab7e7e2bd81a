import NIOHTTP1
import Testing

@Suite(.timeLimit(.minutes(3)))
struct ActivityTests {
    @Test("ACT-1, ACT-2: the trail tells who did what, oldest first, with the old and the new words of what changed")
    func trail() async throws {
        try await TicketHarness.run { api in
            let ada = try await api.customer("Ada")
            let root = try await api.admin()
            let id = try await api.ticket(of: ada)
            let path = "/tickets/\(id)"
            func patch(_ json: String, _ account: TicketHarness.Account) async throws {
                #expect(try await api.call(.PATCH, path, token: account.token, json: json).status == 200)
            }
            try await patch(#"{"priority":"High","subject":"Broken","category":"Billing"}"#, ada)
            try await patch(#"{"status":"In Progress","assigned_to":\#(root.id)}"#, root)
            try await patch(#"{"status":"In Progress"}"#, root)
            try await patch(#"{"assigned_to":null}"#, root)
            _ = try await api.call(.POST, path + "/comments", token: ada.token, json: #"{"content":"x"}"#)

            let reply = try await api.call(.GET, "/api\(path)/activity", token: ada.token)
            #expect(reply.status == 200)
            let entries = reply.json["data"].items
            for entry in entries { #expect(entry.keys == ["id", "type", "user", "changes", "created_at"]) }
            #expect(entries.map { $0["type"] } == ["created", "updated", "updated", "updated", "commented"])
            #expect(entries.map { $0["user"]["name"] } == ["Ada", "Ada", "Root", "Root", "Ada"])
            let root_ = Value.int(root.id)
            #expect(
                entries.map { $0["changes"] } == [
                    [:], ["category": ["Technical", "Billing"], "priority": ["Low", "High"]],
                    ["status": ["Open", "In Progress"], "assigned_to": [nil, root_]],
                    ["assigned_to": [root_, nil]], [:],
                ])
            #expect(entries[0]["user"] == ["id": .int(ada.id), "name": "Ada", "role": "customer"])
            #expect(reply.json["meta"]["total"] == 5)
            let shown = try await api.call(.GET, path, token: ada.token).json["data"]
            #expect(entries[3]["created_at"] == shown["updated_at"])
            #expect(entries[0]["created_at"] == shown["created_at"])

            let page = try await api.call(.GET, path + "/activity?per_page=2&page=3", token: root.token)
            #expect(page.json["data"].items.map { $0["type"] } == ["commented"])
            #expect(page.json["meta"]["last_page"] == 3)
            #expect(try await api.call(.GET, path + "/activity?per_page=101", token: root.token).status == 422)
        }
    }

    @Test("ACT-3: of an internal note a customer's trail says nothing")
    func notes() async throws {
        try await TicketHarness.run { api in
            let ada = try await api.customer("Ada")
            let root = try await api.admin()
            let path = "/tickets/\(try await api.ticket(of: ada))"
            _ = try await api.call(
                .POST, path + "/comments", token: root.token, json: #"{"content":"x","internal":true}"#)
            _ = try await api.call(.POST, path + "/comments", token: root.token, json: #"{"content":"y"}"#)
            for (account, types) in [(ada, ["created", "commented"]), (root, ["created", "commented", "commented"])] {
                let reply = try await api.call(.GET, path + "/activity", token: account.token)
                #expect(reply.json["data"].items.map { $0["type"].string } == types)
                #expect(reply.json["meta"]["total"] == .int(Int64(types.count)))
            }
        }
    }

    @Test("ACT-4, ACT-5: of a description the trail keeps the first 100 code points; a refused change leaves no entry")
    func long() async throws {
        try await TicketHarness.run { api in
            let ada = try await api.customer("Ada")
            let path = "/tickets/\(try await api.ticket(of: ada))"
            let long = String(repeating: "😀", count: 101)
            _ = try await api.call(.PATCH, path, token: ada.token, json: #"{"description":"\#(long)"}"#)
            _ = try await api.call(.PATCH, path, token: ada.token, json: #"{"description":"x","priority":"No"}"#)
            _ = try await api.call(.PATCH, path, token: ada.token, json: #"{"description":"x","status":"Open"}"#)
            let reply = try await api.call(.GET, path + "/activity", token: ada.token)
            let cut = String(repeating: "😀", count: 100) + "…"
            let changes = reply.json["data"].items.map { $0["changes"] }
            #expect(changes == [[:], ["description": ["It is.", .string(cut)]]])
        }
    }
}
