import NIOHTTP1
import Testing
import TicketAPI

@Suite(.timeLimit(.minutes(3)))
struct PasswordTests {
    private static func body(_ current: String, _ new: String = "even longer") -> String {
        #"{"current_password":"\#(current)","password":"\#(new)","password_confirmation":"\#(new)"}"#
    }

    @Test("ACC-13: a token changes the password; it lives on, all other tokens and all sessions end")
    func byToken() async throws {
        try await TicketHarness.run { api in
            let (ada, bob) = (try await api.customer("Ada"), try await api.customer("Bob"))
            let login = try await api.call(
                .POST, "/login", json: #"{"email":"\#(ada.email)","password":"long enough"}"#)
            let other = try #require(login.json["token"].string)
            let (desk, phone) = (Browser(api), Browser(api))
            try await desk.logIn(ada.email)
            try await phone.logIn(ada.email)

            let reply = try await api.call(.PUT, "/user/password", token: ada.token, json: Self.body("long enough"))
            #expect(reply.status == 200 && reply.json == ["message": "Password changed"])
            #expect(reply.headers["Set-Cookie"].isEmpty)
            #expect(try await api.call(.GET, "/user", token: ada.token).status == 200)
            #expect(try await api.call(.GET, "/user", token: other).status == 401)
            #expect(try await desk.standing == 401)
            #expect(try await phone.standing == 401)
            #expect(try await api.call(.GET, "/user", token: bob.token).status == 200)
            #expect(try await phone.logIn(ada.email).status == 401)
            #expect(try await phone.logIn(ada.email, password: "even longer").status == 200)
        }
    }

    @Test("ACC-13: a browser changes the password; all sessions and tokens end, and it has a new session")
    func byCookie() async throws {
        try await TicketHarness.run { api in
            let ada = try await api.customer("Ada")
            let (desk, phone) = (Browser(api), Browser(api))
            try await desk.logIn(ada.email)
            try await phone.logIn(ada.email)
            let before = try #require(desk.session)
            let changed = try await desk.call(
                .POST, "/user/password",
                form: """
                    _method=PUT&current_password=long+enough&password=even+longer&password_confirmation=even+longer
                    """)
            #expect(changed.status == 200)
            #expect(desk.session != before)
            #expect(try await desk.standing == 200)
            #expect(try await desk.call(.POST, "/broadcasting/auth", json: "{}").status == 422)
            #expect(
                try await api.call(.GET, "/user", headers: [("Cookie", "switchboard_session=\(before)")]).status == 401)
            #expect(try await phone.standing == 401)
            #expect(try await api.call(.GET, "/user", token: ada.token).status == 401)
        }
    }

    @Test("ACC-14: what is wrong with it is said in Laravel's words, and changes nothing")
    func texts() async throws {
        try await TicketHarness.run { api in
            let ada = try await api.customer("Ada")
            func change(_ json: String) async throws -> TicketHarness.Reply {
                try await api.call(.PUT, "/user/password", token: ada.token, json: json)
            }
            let wrong = try await change(Self.body("wrong"))
            #expect(wrong.status == 422)
            #expect(
                wrong.json == [
                    "message": "The password is incorrect.",
                    "errors": ["current_password": ["The password is incorrect."]],
                ])
            #expect(try await change(Self.body("long enough ")).status == 422)
            let empty = try await change("{}")
            #expect(
                empty.json["errors"] == [
                    "current_password": ["The current password field is required."],
                    "password": ["The password field is required."],
                ])
            let short = try await change(
                #"{"current_password":"long enough","password":"short","password_confirmation":"other"}"#)
            #expect(
                short.json["errors"]["password"] == [
                    "The password field must be at least 8 characters.",
                    "The password field confirmation does not match.",
                ])
            #expect(try await api.call(.PUT, "/user/password", json: Self.body("long enough")).status == 401)
            #expect(
                try await api.call(.POST, "/login", json: #"{"email":"ada@example.com","password":"long enough"}"#)
                    .status == 200)
        }
    }

    @Test("ACC-14: a password keeps its spaces, the current one too")
    func verbatim() async throws {
        try await TicketHarness.run { api in
            let ada = try await api.customer("Ada")
            #expect(
                try await api.call(
                    .PUT, "/user/password", token: ada.token, json: Self.body("long enough", "  spaces  ")
                ).status == 200)
            for (current, status) in [("spaces", 422), ("  spaces  ", 200)] {
                let reply = try await api.call(.PUT, "/user/password", token: ada.token, json: Self.body(current))
                #expect(reply.status == status)
            }
        }
    }

    @Test("ACC-15: the current password is guessed no faster than at a login, and the two share their five tries")
    func throttle() async throws {
        try await TicketHarness.run { api in
            let ada = try await api.customer("Ada")
            let login = #"{"email":"ADA@example.com","password":"wrong"}"#
            for _ in 0..<3 {
                let reply = try await api.call(.PUT, "/user/password", token: ada.token, json: Self.body("wrong"))
                #expect(reply.status == 422)
            }
            for _ in 0..<2 { #expect(try await api.call(.POST, "/login", json: login).status == 401) }
            let refused = try await api.call(.PUT, "/user/password", token: ada.token, json: Self.body("long enough"))
            #expect(refused.status == 429)
            #expect(refused.json == ["message": "Too Many Attempts."])
            #expect(refused.headers.first(name: "X-RateLimit-Limit") == "5")
            #expect(refused.headers.first(name: "X-RateLimit-Remaining") == "0")
            let wait = try #require(refused.headers.first(name: "Retry-After").flatMap { Int64($0) })
            #expect(try await api.call(.POST, "/login", json: login).status == 429)
            api.clock.advance(seconds: wait)
            #expect(
                try await api.call(.PUT, "/user/password", token: ada.token, json: Self.body("long enough")).status
                    == 200)
        }
    }

    @Test("ACC-13: of two changes at the same time one happens, and no login with the old password outlives it")
    func race() async throws {
        try await TicketHarness.run { api in
            let ada = try await api.customer("Ada")
            let answers = try await withThrowingTaskGroup(of: (isLogin: Bool, TicketHarness.Reply).self) { group in
                for new in ["the first one", "the other one"] {
                    group.addTask {
                        (
                            false,
                            try await api.call(
                                .PUT, "/user/password", token: ada.token, json: Self.body("long enough", new))
                        )
                    }
                    group.addTask {
                        (
                            true,
                            try await api.call(
                                .POST, "/login", json: #"{"email":"ada@example.com","password":"long enough"}"#)
                        )
                    }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(answers.filter { !$0.isLogin }.map(\.1.status).sorted() == [200, 422])
            for (_, reply) in answers.filter(\.isLogin) where reply.status == 200 {
                let token = try #require(reply.json["token"].string)
                #expect(try await api.call(.GET, "/user", token: token).status == 401)
            }
        }
    }
}
