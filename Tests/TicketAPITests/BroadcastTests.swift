import NIOHTTP1
import Testing
import TicketAPI

@Suite(.timeLimit(.minutes(3)))
struct BroadcastTests {
    @Test(
        "EVT-3, EVT-4: NewMessage goes to the ticket's chat with the stored message, and leaves out the sender's socket"
    )
    func newMessage() async throws {
        try await TicketHarness.run { api in
            let ada = try await api.customer("Ada")
            let id = try await api.ticket(of: ada)
            let sent = try await api.post("he\\\"llo", to: id, as: ada, headers: [("X-Socket-ID", "12.34")])
            let longest = "1.\(String(repeating: "2", count: 38))"
            for socketID in ["undefined", longest, longest + "2"] {
                _ = try await api.post("more", to: id, as: ada, headers: [("X-Socket-Id", socketID)])
            }
            await api.broker.wait { $0.events.count { $0.name == "NewMessage" } == 4 }
            let events = api.broker.events.filter { $0.name == "NewMessage" }
            #expect(events[0].channel == "private-chat.\(id)")
            #expect(events[0].json == ["message": sent.json["data"]])
            #expect(events.map(\.socketID) == ["12.34", nil, longest, nil])
            #expect(api.broker.badSignatures == 0)
        }
    }

    @Test(
        "EVT-5, TIC-3: what becomes of a ticket is told to admins and owner, in order; nothing changed is nothing told"
    )
    func ticketEvents() async throws {
        try await TicketHarness.run { api in
            let ada = try await api.customer("Ada")
            let root = try await api.admin()
            let id = try await api.ticket(of: ada)
            let path = "/tickets/\(id)"
            _ = try await api.call(.PATCH, path, token: root.token, json: #"{"status":"Resolved"}"#)
            _ = try await api.call(.PATCH, path, token: root.token, json: #"{"status":"Resolved"}"#)
            let shown = try await api.call(.GET, path, token: root.token).json["data"]
            _ = try await api.call(.DELETE, path, token: root.token)

            let events = await api.broker.waitForEvents(6)
            #expect(
                events.map { "\($0.name) \($0.channel)" } == [
                    "TicketCreated private-tickets", "TicketCreated private-App.Models.User.\(ada.id)",
                    "TicketUpdated private-tickets", "TicketUpdated private-App.Models.User.\(ada.id)",
                    "TicketDeleted private-tickets", "TicketDeleted private-App.Models.User.\(ada.id)",
                ])
            let ticket = events[2].json["ticket"]
            #expect(
                ticket.keys == [
                    "id", "subject", "category", "priority", "status", "user", "assignee", "created_at", "updated_at",
                ])
            for field in ticket.keys { #expect(ticket[field] == shown[field]) }
        }
    }

    @Test(
        "EVT-6: each style has its names; both go out in one call; an alias is one name more",
        arguments: [
            ("plain", ["NewMessage", "message.sent"]),
            ("laravel", ["App\\Events\\NewMessage", "message.sent"]),
            ("both", ["NewMessage", "App\\Events\\NewMessage", "message.sent"]),
        ])
    func styles(_ style: String, _ names: [String]) async throws {
        let style = try #require(EventStyle(rawValue: style))
        try await TicketHarness.run(style: style, aliases: ["NewMessage": "message.sent"]) { api in
            let ada = try await api.customer("Ada")
            let id = try await api.ticket(of: ada)
            _ = try await api.post("hello", to: id, as: ada)
            await api.broker.wait { $0.events.contains { $0.name == "message.sent" } }
            let events = api.broker.events.filter { $0.channel == "private-chat.\(id)" }
            #expect(events.map(\.name) == names)
            #expect(Set(events.map(\.data)).count == 1)
            #expect(Set(events.map(\.request)).count == 1)
            #expect(api.broker.events.filter { $0.channel == "private-tickets" }.count == (style == .both ? 2 : 1))
        }
    }

    @Test("EVT-7: an event above 10,240 bytes goes out without the text, and holds up nothing")
    func truncated() async throws {
        try await TicketHarness.run { api in
            let ada = try await api.customer("Ada")
            let id = try await api.ticket(of: ada)
            let long = try await api.post(String(repeating: "😀", count: 5000), to: id, as: ada)
            #expect(long.status == 201)
            _ = try await api.post(String(repeating: "x", count: 5000), to: id, as: ada)
            await api.broker.wait { $0.events.count { $0.name == "NewMessage" } == 2 }
            let messages = api.broker.events.filter { $0.name == "NewMessage" }.map { $0.json["message"] }
            #expect(messages[0]["id"] == long.json["data"]["id"])
            #expect(messages[0]["content"] == nil)
            #expect(messages[0]["truncated"] == true)
            #expect(messages[1]["content"].string?.count == 5000)
            #expect(messages[1].keys.contains("truncated") == false)
            #expect(api.broker.events.allSatisfy { $0.data.utf8.count <= 10_240 })
        }
    }
}
