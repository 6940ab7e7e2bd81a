import NIOHTTP1
import Testing

@Suite(.timeLimit(.minutes(3)))
struct CommentTests {
    @Test("COM-1, COM-2: a comment has the contract's shape; the list is oldest first and in pages")
    func shape() async throws {
        try await TicketHarness.run { api in
            let ada = try await api.customer("Ada")
            let root = try await api.admin()
            let path = "/api/tickets/\(try await api.ticket(of: ada))/comments"
            let first = try await api.call(.POST, path, token: ada.token, json: #"{"content":"  <b>one</b>  "}"#)
            #expect(first.status == 201)
            let comment = first.json["data"]
            #expect(comment.keys == ["id", "ticket_id", "content", "internal", "user", "created_at"])
            #expect(comment["content"] == "<b>one</b>")
            #expect(comment["internal"] == false)
            #expect(comment["user"] == ["id": .int(ada.id), "name": "Ada", "role": "customer"])
            let second = try await api.call(.POST, path, token: root.token, form: "content=two&internal=0")
            #expect(second.status == 201)

            let list = try await api.call(.GET, path, token: ada.token)
            #expect(list.json["data"] == [comment, second.json["data"]])
            #expect(list.json["meta"]["total"] == 2)
            #expect(list.json["meta"]["per_page"] == 10)
            let last = try await api.call(.GET, path + "?per_page=1&page=2", token: ada.token)
            #expect(last.json["data"] == [second.json["data"]])
            #expect(last.json["meta"]["from"] == 2)
            #expect(last.json["links"]["prev"].string?.hasSuffix("\(path)?per_page=1&page=1") == true)
            #expect(try await api.call(.GET, path + "?page=9", token: ada.token).json["data"] == [])
            for query in ["page=0", "per_page=101", "per_page=x"] {
                #expect(try await api.call(.GET, path + "?" + query, token: ada.token).status == 422, "\(query)")
            }
        }
    }

    @Test("COM-3: content is 1 to 5,000 code points after trimming")
    func content() async throws {
        try await TicketHarness.run { api in
            let ada = try await api.customer("Ada")
            let path = "/tickets/\(try await api.ticket(of: ada))/comments"
            func post(_ content: String) async throws -> TicketHarness.Reply {
                try await api.call(.POST, path, token: ada.token, json: #"{"content":"\#(content)"}"#)
            }
            #expect(try await post(String(repeating: "😀", count: 5000)).status == 201)
            #expect(
                try await post(String(repeating: "x", count: 5001)).json["message"]
                    == "The content field must not be greater than 5000 characters.")
            #expect(try await post("  ").json["message"] == "The content field is required.")
            #expect(try await api.call(.GET, path, token: ada.token).json["meta"]["total"] == 1)
        }
    }

    @Test("COM-4, COM-7: an internal note is neither shown to a customer nor counted, in any answer")
    func notes() async throws {
        try await TicketHarness.run { api in
            let ada = try await api.customer("Ada")
            let root = try await api.admin()
            let id = try await api.ticket(of: ada)
            let path = "/tickets/\(id)/comments"
            let before = try await api.call(.GET, "/tickets/\(id)", token: ada.token)
            for value in ["true", "1", #""1""#] {
                let json = #"{"content":"between us","internal":\#(value)}"#
                let note = try await api.call(.POST, path, token: root.token, json: json)
                #expect(note.status == 201)
                #expect(note.json["data"]["internal"] == true)
            }
            #expect(try await api.call(.GET, "/tickets/\(id)", token: ada.token).text == before.text)
            _ = try await api.call(.POST, path, token: root.token, json: #"{"content":"hello","internal":false}"#)

            let seen = try await api.call(.GET, path, token: ada.token)
            #expect(seen.json["data"].items.map { $0["content"] } == ["hello"])
            #expect(seen.json["meta"]["total"] == 1)
            #expect(seen.json["meta"]["last_page"] == 1)
            let all = try await api.call(.GET, path + "?per_page=3", token: root.token)
            #expect(all.json["data"].items.map { $0["internal"] } == [true, true, true])
            #expect(all.json["meta"]["total"] == 4)
            for ticket in ["/tickets/\(id)", "/tickets"] {
                for (account, count) in [(ada, 1), (root, 4)] {
                    let data = try await api.call(.GET, ticket, token: account.token).json["data"]
                    #expect((data.items.first ?? data)["comments_count"] == .int(Int64(count)))
                }
            }
        }
    }

    @Test("COM-5: from a customer `internal` says nothing; from an admin it is a boolean")
    func internalField() async throws {
        try await TicketHarness.run { api in
            let ada = try await api.customer("Ada")
            let root = try await api.admin()
            let path = "/tickets/\(try await api.ticket(of: ada))/comments"
            for value in ["true", "1", #""yes""#, "[]", "null", "1.5"] {
                let json = #"{"content":"x","internal":\#(value)}"#
                let mine = try await api.call(.POST, path, token: ada.token, json: json)
                #expect(mine.status == 201)
                #expect(mine.json["data"]["internal"] == false)
            }
            for value in [#""yes""#, #""true""#, "[]", "null", "1.5", "2", #""""#] {
                let json = #"{"content":"x","internal":\#(value)}"#
                let reply = try await api.call(.POST, path, token: root.token, json: json)
                #expect(reply.status == 422, "\(value)")
                #expect(reply.json["errors"] == ["internal": ["The internal field must be true or false."]])
            }
            #expect(try await api.call(.GET, path, token: root.token).json["meta"]["total"] == 6)
        }
    }

    @Test("TIC-1, COM-6: another's ticket has no comments and no activity; a customer is silent on a Closed one")
    func access() async throws {
        try await TicketHarness.run { api in
            let ada = try await api.customer("Ada")
            let bob = try await api.customer("Bob")
            let root = try await api.admin()
            let id = try await api.ticket(of: ada)
            for path in ["/tickets/\(id)/comments", "/tickets/\(id)/activity"] {
                #expect(try await api.call(.GET, path + "?page=x", token: bob.token).status == 404)
                #expect(try await api.call(.GET, path).status == 401)
            }
            let path = "/tickets/\(id)/comments"
            #expect(try await api.call(.POST, path, token: bob.token, json: "{}").status == 404)
            #expect(
                try await api.call(.GET, "/tickets/\(id + 1)/comments", token: root.token).status == 404)

            _ = try await api.call(.PATCH, "/tickets/\(id)", token: root.token, json: #"{"status":"Closed"}"#)
            let late = try await api.call(.POST, path, token: ada.token, json: #"{"content":"wait"}"#)
            #expect(late.status == 422)
            #expect(late.json["errors"] == ["ticket": ["The ticket is closed."]])
            #expect(
                try await api.call(.POST, path, token: root.token, json: #"{"content":"done"}"#).status == 201)
            #expect(try await api.call(.GET, path, token: ada.token).json["meta"]["total"] == 1)
        }
    }

    @Test("EVT-11: CommentAdded goes to the chat, an internal one to staff only, in the order of the ticket's events")
    func events() async throws {
        try await TicketHarness.run { api in
            let ada = try await api.customer("Ada")
            let root = try await api.admin()
            let id = try await api.ticket(of: ada)
            let path = "/tickets/\(id)/comments"
            let shown = try await api.call(
                .POST, path, token: ada.token, json: #"{"content":"one"}"#, headers: [("X-Socket-ID", "12.34")])
            let note = try await api.call(
                .POST, path, token: root.token, json: #"{"content":"two","internal":true}"#,
                headers: [("X-Socket-ID", "56.78")])
            _ = try await api.post("three", to: id, as: ada)
            let long = String(repeating: "😀", count: 5000)
            for isInternal in [false, true] {
                _ = try await api.call(
                    .POST, path, token: root.token, json: #"{"content":"\#(long)","internal":\#(isInternal)}"#)
            }

            let events = await api.broker.waitForEvents(7).dropFirst(2)
            #expect(
                events.map { "\($0.name) \($0.channel)" } == [
                    "CommentAdded private-chat.\(id)", "CommentAdded private-tickets", "NewMessage private-chat.\(id)",
                    "CommentAdded private-chat.\(id)", "CommentAdded private-tickets",
                ])
            #expect(events[2].json == ["comment": shown.json["data"]])
            #expect(events[3].json == ["comment": note.json["data"]])
            #expect(events.map(\.socketID) == ["12.34", "56.78", nil, nil, nil])
            for event in events.suffix(2) {
                #expect(event.data.utf8.count <= 10_240)
                #expect(event.json["comment"]["content"] == nil)
                #expect(event.json["comment"]["truncated"] == true)
            }
        }
    }
}
