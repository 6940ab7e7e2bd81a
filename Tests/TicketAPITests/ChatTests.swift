import NIOHTTP1
import Testing

@Suite(.timeLimit(.minutes(3)))
struct ChatTests {
    @Test("CHAT-3, TIC-10: a message has the contract's shape; who receives it follows from who sent it")
    func shape() async throws {
        try await TicketHarness.run { api in
            let root = try await api.admin()
            let ada = try await api.customer("Ada")
            let id = try await api.ticket(of: ada)
            let sent = try await api.post("  hello  ", to: id, as: ada)
            #expect(sent.status == 201)
            let message = sent.json["data"]
            #expect(
                message.keys == [
                    "id", "chat_id", "ticket_id", "content", "attachments", "created_at", "sender", "receiver_id",
                ])
            #expect(message["content"] == "hello")
            #expect(message["ticket_id"] == .int(id))
            #expect(message["attachments"] == [])
            #expect(message["sender"] == ["id": .int(ada.id), "name": "Ada", "role": "customer"])
            #expect(message["receiver_id"] == .int(root.id))

            let answer = try await api.post("yes?", to: id, as: root)
            #expect(answer.json["data"]["receiver_id"] == .int(ada.id))
            let chat = try await api.call(.GET, "/api/tickets/\(id)/chat", token: ada.token)
            #expect(
                chat.json["chat"] == [
                    "id": message["chat_id"], "ticket_id": .int(id), "customer_id": .int(ada.id),
                    "admin_id": .int(root.id), "last_read": [:],
                ])
            #expect(chat.json["messages"] == [message, answer.json["data"]])
            #expect(chat.json["meta"] == ["has_more_before": false, "has_more_after": false])

            let seen = try await api.call(.GET, "/tickets/\(id)", token: ada.token)
            #expect(seen.json["data"]["messages_count"] == 2)
            #expect(seen.json["data"]["unread_count"] == 1)
        }
    }

    @Test("CHAT-1, CHAT-2: a chat opens with the assignee; without any admin, with the first that comes")
    func opening() async throws {
        try await TicketHarness.run { api in
            let ada = try await api.customer("Ada")
            let early = try await api.ticket(of: ada)
            #expect(try await api.post("anyone?", to: early, as: ada).json["data"]["receiver_id"] == nil)
            let first = try await api.admin("First")
            let second = try await api.admin("Second")
            #expect(try await api.post("now?", to: early, as: ada).json["data"]["receiver_id"] == .int(first.id))

            let late = try await api.ticket(of: ada)
            _ = try await api.call(
                .PATCH, "/tickets/\(late)", token: first.token, json: #"{"assigned_to":\#(second.id)}"#)
            let chat = try await api.call(.GET, "/tickets/\(late)/chat", token: ada.token)
            #expect(chat.json["chat"]["admin_id"] == .int(second.id))
            #expect(chat.json["messages"] == [])
        }
    }

    @Test("CHAT-4, CHAT-5: history comes in pages: the newest, before a message, after a message, between two")
    func paging() async throws {
        try await TicketHarness.run { api in
            let ada = try await api.customer("Ada")
            let id = try await api.ticket(of: ada)
            var ids: [Int64] = []
            for index in 0..<60 {
                let reply = try await api.post("m\(index)", to: id, as: ada)
                ids.append(try #require(reply.json["data"]["id"].int))
            }
            func page(_ query: String) async throws -> (range: Range<Int>?, before: Value, after: Value) {
                let reply = try await api.call(.GET, "/tickets/\(id)/chat?\(query)", token: ada.token)
                #expect(reply.status == 200)
                let found = reply.json["messages"].items.compactMap { $0["id"].int }
                let first = found.first.flatMap { ids.firstIndex(of: $0) }
                let range = first.map { $0..<($0 + found.count) }
                if let range { #expect(found == Array(ids[range])) }
                return (range, reply.json["meta"]["has_more_before"], reply.json["meta"]["has_more_after"])
            }
            #expect(try await page("") == (10..<60, true, false))
            #expect(try await page("limit=200") == (0..<60, false, false))
            #expect(try await page("before=\(ids[10])&limit=5") == (5..<10, true, true))
            #expect(try await page("before=\(ids[10])") == (0..<10, false, true))
            #expect(try await page("before=\(ids[0])") == (nil, false, true))
            #expect(try await page("after=\(ids[19])&limit=10") == (20..<30, true, true))
            #expect(try await page("after=\(ids[54])") == (55..<60, true, false))
            #expect(try await page("after=\(ids[59])") == (nil, true, false))
            #expect(try await page("after=0&limit=3") == (0..<3, false, true))
            #expect(try await page("after=\(ids[4])&before=\(ids[8])") == (5..<8, true, true))
            #expect(try await page("before=9223372036854775807&limit=1") == (59..<60, true, false))

            for query in ["limit=0", "limit=201", "limit=x", "before=-1", "after=1.5", "after=99999999999999999999"] {
                let reply = try await api.call(.GET, "/tickets/\(id)/chat?\(query)", token: ada.token)
                #expect(reply.status == 422, "\(query)")
            }
        }
    }

    @Test("CHAT-6, HTTP-13: content is 1 to 5,000 code points after trimming")
    func contentLength() async throws {
        try await TicketHarness.run { api in
            let ada = try await api.customer("Ada")
            let id = try await api.ticket(of: ada)
            #expect(try await api.post(String(repeating: "😀", count: 5000), to: id, as: ada).status == 201)
            #expect(
                try await api.post("  " + String(repeating: "x", count: 5000) + "\\n", to: id, as: ada).status == 201)
            let long = try await api.post(String(repeating: "x", count: 5001), to: id, as: ada)
            #expect(long.status == 422)
            #expect(
                long.json == [
                    "message": "The content field must not be greater than 5000 characters.",
                    "errors": ["content": ["The content field must not be greater than 5000 characters."]],
                ])
            for content in ["", "   ", "\\u0000", "\\u200b\\n"] {
                let reply = try await api.post(content, to: id, as: ada)
                #expect(reply.status == 422)
                #expect(reply.json["message"] == "The content field is required when attachment is not present.")
            }
            #expect(try await api.call(.GET, "/tickets/\(id)", token: ada.token).json["data"]["messages_count"] == 2)
        }
    }

    @Test("CHAT-7, CHAT-8: to a Closed ticket only an admin may write")
    func closed() async throws {
        try await TicketHarness.run { api in
            let ada = try await api.customer("Ada")
            let root = try await api.admin()
            let id = try await api.ticket(of: ada)
            let first = try await api.post("one", to: id, as: ada, headers: [("Idempotency-Key", "k")])
            _ = try await api.call(.PATCH, "/tickets/\(id)", token: root.token, json: #"{"status":"Closed"}"#)
            #expect(try await api.post("two", to: id, as: ada).status == 422)
            #expect(try await api.post("two", to: id, as: root).status == 201)
            // What was answered before is answered again.
            let again = try await api.post("one", to: id, as: ada, headers: [("Idempotency-Key", "k")])
            #expect(again.status == 201 && again.text == first.text)
        }
    }

    @Test(
        "CHAT-8 to CHAT-10: a repeated key returns the first answer and sends nothing; with another body it is refused"
    )
    func idempotency() async throws {
        try await TicketHarness.run { api in
            let ada = try await api.customer("Ada")
            let root = try await api.admin()
            let id = try await api.ticket(of: ada)
            let key = [("Idempotency-Key", "key-1")]
            let first = try await api.post("hello", to: id, as: ada, headers: key)
            #expect(first.status == 201)
            #expect(first.headers.first(name: "Idempotency-Replayed") == nil)
            let second = try await api.post(" hello ", to: id, as: ada, headers: key)
            #expect(second.status == 201 && second.text == first.text)
            #expect(second.headers.first(name: "Idempotency-Replayed") == "true")
            #expect(try await api.post("other", to: id, as: ada, headers: key).status == 422)

            // The key is the user's and the ticket's.
            #expect(try await api.post("hello", to: id, as: root, headers: key).text != first.text)
            let other = try await api.ticket(of: ada)
            #expect(try await api.post("hello", to: other, as: ada, headers: key).text != first.text)

            // A refused request leaves no trace.
            let fresh = [("Idempotency-Key", "key-2")]
            #expect(try await api.post("", to: id, as: ada, headers: fresh).status == 422)
            #expect(try await api.post("valid", to: id, as: ada, headers: fresh).status == 201)
            let long = [("Idempotency-Key", String(repeating: "k", count: 256))]
            #expect(try await api.post("x", to: id, as: ada, headers: long).status == 422)

            // Three events for the first ticket: nothing was sent twice.
            _ = try await api.post("marker", to: id, as: ada)
            await api.broker.wait { $0.events.contains { $0.data.contains("marker") } }
            let contents = api.broker.events.filter { $0.channel == "private-chat.\(id)" }
                .map { $0.json["message"]["content"] }
            #expect(contents == ["hello", "hello", "valid", "marker"])

            // A day later the key is new again.
            api.clock.advance(seconds: 24 * 3600 + 1)
            let later = try await api.post("another", to: id, as: ada, headers: key)
            #expect(later.status == 201 && later.headers.first(name: "Idempotency-Replayed") == nil)
        }
    }

    @Test("CHAT-9: requests with one key at the same time: one message, and all get its answer")
    func concurrentIdempotency() async throws {
        try await TicketHarness.run { api in
            let ada = try await api.customer("Ada")
            let id = try await api.ticket(of: ada)
            let replies = try await withThrowingTaskGroup(of: TicketHarness.Reply.self) { group in
                for _ in 0..<16 {
                    group.addTask { try await api.post("hello", to: id, as: ada, headers: [("Idempotency-Key", "k")]) }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(replies.allSatisfy { $0.status == 201 })
            #expect(Set(replies.map(\.text)).count == 1)
            #expect(replies.count { $0.headers.first(name: "Idempotency-Replayed") == "true" } == 15)
            #expect(try await api.call(.GET, "/tickets/\(id)", token: ada.token).json["data"]["messages_count"] == 1)
        }
    }
}
