import GRDB
import NIOHTTP1
import Testing

@testable import TicketAPI

@Suite(.timeLimit(.minutes(3)))
struct ReadMarkTests {
    private static func mark(
        _ api: TicketHarness, _ ticket: Int64, _ message: String, _ account: TicketHarness.Account,
        headers: [(String, String)] = []
    ) async throws -> TicketHarness.Reply {
        try await api.call(
            .POST, "/tickets/\(ticket)/chat/read", token: account.token, json: #"{"message_id":\#(message)}"#,
            headers: headers)
    }

    private static func say(
        _ api: TicketHarness, _ text: String, _ ticket: Int64, _ account: TicketHarness.Account
    ) async throws -> Int64 {
        try #require(try await api.post(text, to: ticket, as: account).json["data"]["id"].int)
    }

    @Test("CHAT-11, CHAT-12, TIC-10: a mark moves forward and never back; above it, messages of others are unread")
    func marks() async throws {
        try await TicketHarness.run { api in
            let ada = try await api.customer("Ada")
            let root = try await api.admin()
            let second = try await api.admin("Second")
            let id = try await api.ticket(of: ada)
            var ids: [Int64] = []
            for (index, author) in [ada, root, ada, second, root, ada].enumerated() {
                ids.append(try await Self.say(api, "m\(index)", id, author))
            }
            func unread(_ account: TicketHarness.Account) async throws -> [Int64?] {
                let shown = try await api.call(.GET, "/tickets/\(id)", token: account.token).json["data"]
                let listed = try await api.call(.GET, "/tickets", token: account.token).json["data"][0]
                #expect(shown["messages_count"] == 6 && listed["messages_count"] == 6)
                return [shown["unread_count"].int, listed["unread_count"].int]
            }
            #expect(try await unread(ada) == [3, 3])
            #expect(try await unread(root) == [4, 4])
            #expect(try await unread(second) == [5, 5])
            let chat = "/tickets/\(id)/chat"
            #expect(try await api.call(.GET, chat, token: ada.token).json["chat"]["last_read"] == [:])

            // The third is Ada's own: her mark may stand there.
            for (target, mark, left) in [(2, 2, 2), (0, 2, 2), (2, 2, 2), (3, 3, 1), (5, 5, 0), (1, 5, 0)] {
                let reply = try await Self.mark(api, id, "\(ids[target])", ada)
                #expect(reply.status == 200)
                #expect(reply.json == ["data": ["message_id": .int(ids[mark])]])
                #expect(try await unread(ada) == [Int64(left), Int64(left)])
            }
            #expect(try await Self.mark(api, id, "\"\(ids[1])\"", second).status == 200)
            #expect(try await unread(second) == [3, 3])
            #expect(try await unread(root) == [4, 4])
            let shown = try await api.call(.GET, chat, token: root.token).json["chat"]["last_read"]
            #expect(shown == ["\(ada.id)": .int(ids[5]), "\(second.id)": .int(ids[1])])

            // What comes later is unread again, but to its sender.
            _ = try await Self.say(api, "more", id, second)
            #expect(
                try await api.call(.GET, "/tickets/\(id)", token: ada.token).json["data"]["unread_count"] == 1)
            #expect(
                try await api.call(.GET, "/tickets/\(id)", token: second.token).json["data"]["unread_count"] == 3)
        }
    }

    @Test("CHAT-13: only a message of this chat can be marked, by those who may see the ticket")
    func refusals() async throws {
        try await TicketHarness.run { api in
            let ada = try await api.customer("Ada")
            let bob = try await api.customer("Bob")
            let id = try await api.ticket(of: ada)
            let other = try await api.ticket(of: bob)
            let foreign = try await Self.say(api, "x", other, bob)
            let invalid = "The selected message id is invalid."
            // There is no chat yet, and then one without this message.
            #expect(try await Self.mark(api, id, "\(foreign)", ada).json["message"] == .string(invalid))
            let own = try await Self.say(api, "y", id, ada)
            for message in ["\(foreign)", "\(own + 1)", "0", "-1", "9223372036854775807"] {
                let reply = try await Self.mark(api, id, message, ada)
                #expect(reply.status == 422, "\(message)")
                #expect(reply.json["errors"] == ["message_id": [.string(invalid)]])
            }
            for (message, text) in [
                ("null", "The message id field is required."), ("\"x\"", "The message id field must be an integer."),
                ("1.5", "The message id field must be an integer."), ("[]", "The message id field must be an integer."),
            ] {
                #expect(try await Self.mark(api, id, message, ada).json["message"] == .string(text))
            }
            #expect(try await Self.mark(api, id, "\(own)", bob).status == 404)
            #expect(try await Self.mark(api, id, "null", bob).status == 404)
            #expect(try await api.call(.POST, "/tickets/\(id)/chat/read", json: "{}").status == 401)
        }
    }

    @Test(
        "EVT-12, CHAT-12: MessageRead tells the chat when a mark moved and not otherwise; of many at once the last stays"
    )
    func event() async throws {
        try await TicketHarness.run { api in
            let ada = try await api.customer("Ada")
            let root = try await api.admin()
            let id = try await api.ticket(of: ada)
            var ids: [Int64] = []
            for index in 0..<10 { ids.append(try await Self.say(api, "\(index)", id, ada)) }
            _ = try await Self.mark(api, id, "\(ids[1])", root, headers: [("X-Socket-ID", "12.34")])
            _ = try await Self.mark(api, id, "\(ids[0])", root)
            _ = try await Self.mark(api, id, "\(ids[1])", root)
            try await withThrowingTaskGroup(of: Void.self) { [ids] group in
                for message in ids.shuffled() {
                    group.addTask { _ = try await Self.mark(api, id, "\(message)", root) }
                }
                try await group.waitForAll()
            }
            _ = try await Self.say(api, "end", id, ada)
            await api.broker.wait { $0.events.contains { $0.data.contains("\"end\"") } }
            let events = api.broker.events.filter { $0.name == "MessageRead" }
            #expect(events.allSatisfy { $0.channel == "private-chat.\(id)" })
            #expect(events[0].json == ["user_id": .int(root.id), "message_id": .int(ids[1])])
            #expect(events[0].socketID == "12.34")
            let marks = events.compactMap { $0.json["message_id"].int }
            #expect(zip(marks, marks.dropFirst()).allSatisfy { $0 < $1 })
            #expect(marks.last == ids[9])
            let chat = try await api.call(.GET, "/tickets/\(id)/chat", token: ada.token).json["chat"]
            #expect(chat["last_read"] == ["\(root.id)": .int(ids[9])])
        }
    }

    @Test("A database from before the tallies counts the messages that it has")
    func backfill() throws {
        let queue = try DatabaseQueue()
        try Migrations.all.migrate(queue, upTo: "1: accounts, tickets, chats, outbox")
        try queue.write { db in
            try db.execute(
                sql: """
                    INSERT INTO users (id, name, email, email_key, role, password_hash, created_at)
                        VALUES (1, 'Ada', 'a', 'a', 'customer', '', 0), (2, 'Root', 'r', 'r', 'admin', '', 0);
                    INSERT INTO tickets (id, user_id, subject, description, category, priority, status, created_at,
                        updated_at) VALUES (1, 1, 's', 'd', 0, 0, 0, 0, 0);
                    INSERT INTO chats (id, ticket_id, customer_id) VALUES (1, 1, 1);
                    INSERT INTO messages (chat_id, sender_id, content, created_at)
                        VALUES (1, 1, 'one', 0), (1, 2, 'two', 0), (1, 1, 'three', 0);
                    """)
        }
        try Migrations.all.migrate(queue)
        try queue.write { db in
            let tables = Tables(db: db)
            let ada = User(id: 1, name: "Ada", email: "a", role: .customer, createdAt: Timestamp(microseconds: 0))
            let chat = try #require(try tables.chat(ofTicket: 1))
            _ = try tables.insertMessage("four", in: chat, from: ada.participant, now: Timestamp(microseconds: 1))
            let view = try #require(try tables.ticketView(1, reader: ada))
            #expect(view.messages == 4)
            #expect(view.unread == 1)
        }
    }
}
