import NIOHTTP1
import PusherProtocol
import Testing

@Suite(.timeLimit(.minutes(3)))
struct UserAuthTests {
    @Test("CHN-4: the answer signs exactly the socket and the user's data; a form is as good as JSON")
    func signature() async throws {
        try await TicketHarness.run { api in
            let ada = try await api.customer("Ada")
            let json = try await api.call(
                .POST, "/broadcasting/user-auth", token: ada.token, json: #"{"socket_id":"81723.4410982"}"#)
            #expect(json.status == 200)
            #expect(json.json.keys == ["auth", "user_data"])
            let data = try #require(json.json["user_data"].string)
            #expect(
                try Value(parsing: data) == [
                    "id": .string("\(ada.id)"), "user_info": ["name": "Ada", "role": "customer"],
                ])
            try ChannelSignature.verify(
                #require(json.json["auth"].string), signs: "81723.4410982::user::\(data)",
                credentials: RecordingBroker.credentials)
            let form = try await api.call(
                .POST, "/api/broadcasting/user-auth", token: ada.token, form: "socket_id=81723.4410982")
            #expect(form.json == json.json)
        }
    }

    @Test("CHN-4: of a long name a sign-in gets as much as a broker takes")
    func longName() async throws {
        try await TicketHarness.run { api in
            let name = "A\(String(repeating: "😀", count: 254))"
            let account = try await api.call(
                .POST, "/register",
                json: """
                    {"name":"\(name)","email":"a@example.com","password":"long enough",
                     "password_confirmation":"long enough"}
                    """)
            let reply = try await api.call(
                .POST, "/broadcasting/user-auth", token: account.json["token"].string, json: #"{"socket_id":"1.2"}"#)
            let text = try #require(reply.json["user_data"].string)
            let data = try UserData(text, limits: Limits())
            #expect(data.id == account.json["user"]["id"].int.map(String.init))
            #expect(data.userInfo != nil)
            #expect((1019...1024).contains(text.utf8.count))
            let shown = try #require(try Value(parsing: text)["user_info"]["name"].string)
            #expect(name.hasPrefix(shown))
        }
    }

    @Test("CHN-4: without a socket id, or with one that is none, it is 422; without a token 401")
    func refusals() async throws {
        try await TicketHarness.run { api in
            let ada = try await api.customer("Ada")
            func call(_ body: String, token: String?) async throws -> TicketHarness.Reply {
                try await api.call(.POST, "/broadcasting/user-auth", token: token, json: body)
            }
            #expect(
                try await call("{}", token: ada.token).json["errors"] == [
                    "socket_id": ["The socket id field is required."]
                ])
            for socketID in ["x", "1", "1.2.3", "1.2::user::{}", "-1.2", "1.2:"] {
                let reply = try await call(#"{"socket_id":"\#(socketID)"}"#, token: ada.token)
                #expect(reply.status == 422, "\(socketID)")
                #expect(reply.json["errors"] == ["socket_id": ["The socket id field format is invalid."]])
            }
            #expect(try await call(#"{"socket_id":"1.2"}"#, token: nil).status == 401)
        }
    }
}
