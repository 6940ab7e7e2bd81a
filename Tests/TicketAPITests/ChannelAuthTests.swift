import NIOHTTP1
import PusherProtocol
import Testing

@Suite(.timeLimit(.minutes(3)))
struct ChannelAuthTests {
    @Test("CHN-1: channels are for those whose they are; everything else is 403")
    func policy() async throws {
        try await TicketHarness.run { api in
            let ada = try await api.customer("Ada")
            let bob = try await api.customer("Bob")
            let root = try await api.admin()
            let id = try await api.ticket(of: ada)
            func status(_ channel: String, _ account: TicketHarness.Account) async throws -> Int {
                try await api.call(
                    .POST, "/broadcasting/auth", token: account.token,
                    json: #"{"socket_id":"1.2","channel_name":"\#(channel)"}"#
                ).status
            }
            for channel in ["private-chat.\(id)", "presence-chat.\(id)"] {
                #expect(try await status(channel, ada) == 200)
                #expect(try await status(channel, bob) == 403)
                #expect(try await status(channel, root) == 200)
            }
            for channel in ["private-tickets", "presence-tickets"] {
                #expect(try await status(channel, ada) == 403)
                #expect(try await status(channel, root) == 200)
            }
            #expect(try await status("private-App.Models.User.\(ada.id)", ada) == 200)
            #expect(try await status("private-App.Models.User.\(ada.id)", bob) == 403)
            #expect(try await status("private-App.Models.User.\(ada.id)", root) == 403)
            for channel in [
                "private-chat.0\(id)", "private-chat.+\(id)", "private-chat.\(id).", "private-chat.\(id + 999)",
                "private-chat.", "private-chat", "chat.\(id)", "private-encrypted-chat.\(id)",
                "private-cache-chat.\(id)", "presence-App.Models.User.\(root.id)", "tickets", "private-anything",
                "PRIVATE-tickets", "private-tickets ,x",
            ] {
                #expect(try await status(channel, root) == 403, "\(channel)")
            }
            let reply = try await api.call(
                .POST, "/broadcasting/auth", token: bob.token,
                json: #"{"socket_id":"1.2","channel_name":"private-tickets"}"#)
            #expect(reply.json == ["message": "This action is unauthorized."])
        }
    }

    @Test("CHN-2: the answer signs exactly the channel, the socket and the member's data; a form is as good as JSON")
    func signatures() async throws {
        try await TicketHarness.run { api in
            let ada = try await api.customer("Ada")
            let id = try await api.ticket(of: ada)
            let chat = "private-chat.\(id)"
            let plain = try await api.call(
                .POST, "/api/broadcasting/auth", token: ada.token, form: "socket_id=81723.4410982&channel_name=\(chat)")
            #expect(plain.status == 200)
            #expect(plain.json.keys == ["auth"])
            try ChannelSignature.verify(
                #require(plain.json["auth"].string), signs: "81723.4410982:\(chat)",
                credentials: RecordingBroker.credentials)

            let presence = try await api.call(
                .POST, "/broadcasting/auth", token: ada.token,
                json: #"{"socket_id":"81723.4410982","channel_name":"presence-chat.\#(id)"}"#)
            let data = try #require(presence.json["channel_data"].string)
            #expect(
                try Value(parsing: data) == [
                    "user_id": .string("\(ada.id)"), "user_info": ["name": "Ada", "role": "customer"],
                ])
            try ChannelSignature.verify(
                #require(presence.json["auth"].string), signs: "81723.4410982:presence-chat.\(id):\(data)",
                credentials: RecordingBroker.credentials)
        }
    }

    @Test(
        "CHN-2: of a long name a presence channel gets as much as a broker takes",
        arguments: [("😀", false), (#"\u0001"#, false), (#"\""#, true), ("é", true)])
    func longName(_ letter: String, _ fits: Bool) async throws {
        try await TicketHarness.run { api in
            let registered = try await api.call(
                .POST, "/register",
                json: """
                    {"name":"A\(String(repeating: letter, count: 253))Z","email":"a@example.com",
                     "password":"long enough","password_confirmation":"long enough"}
                    """)
            let name = try #require(registered.json["user"]["name"].string)
            let ada = TicketHarness.Account(
                id: registered.json["user"]["id"].int ?? 0, token: registered.json["token"].string ?? "",
                email: "a@example.com")
            let channel = "presence-chat.\(try await api.ticket(of: ada))"
            let reply = try await api.call(
                .POST, "/broadcasting/auth", token: ada.token,
                json: #"{"socket_id":"1.2","channel_name":"\#(channel)"}"#)
            let data = try #require(reply.json["channel_data"].string)
            _ = try PresenceMember(channelData: data, limits: Limits())
            try ChannelSignature.verify(
                #require(reply.json["auth"].string), signs: "1.2:\(channel):\(data)",
                credentials: RecordingBroker.credentials)
            let shown = try #require(try Value(parsing: data)["user_info"]["name"].string)
            #expect(name.unicodeScalars.starts(with: shown.unicodeScalars))
            #expect((shown == name) == fits)
            // No room for one more.
            #expect(fits || data.utf8.count > 1024 - 6)
        }
    }

    @Test("CHN-3: without both fields, or with a socket id that is none, it is 422; without a token 401")
    func refusals() async throws {
        try await TicketHarness.run { api in
            let ada = try await api.customer("Ada")
            let empty = try await api.call(.POST, "/broadcasting/auth", token: ada.token, json: "{}")
            #expect(empty.status == 422)
            #expect(
                empty.json["errors"] == [
                    "socket_id": ["The socket id field is required."],
                    "channel_name": ["The channel name field is required."],
                ])
            let tooLong = "1.\(String(repeating: "2", count: 39))"
            for socketID in ["x", "1", "1.2.3", "1.2:private-tickets", "-1.2", tooLong] {
                let reply = try await api.call(
                    .POST, "/broadcasting/auth", token: ada.token,
                    json: #"{"socket_id":"\#(socketID)","channel_name":"private-App.Models.User.\#(ada.id)"}"#)
                #expect(reply.status == 422, "\(socketID)")
            }
            #expect(try await api.call(.POST, "/broadcasting/auth", json: "{}").status == 401)
        }
    }
}
