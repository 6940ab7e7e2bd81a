import Foundation
import NIOHTTP1
import Testing
import TicketAPI

@Suite(.timeLimit(.minutes(3)))
struct AccountTests {
    @Test(
        "ACC-1, ACC-2: registering makes a customer, whatever role the body says, and answers with a token that works"
    )
    func register() async throws {
        try await TicketHarness.run { api in
            let reply = try await api.call(
                .POST, "/register",
                json: """
                    {"name":" Ada ","email":"Ada@Example.com","password":"long enough",
                     "password_confirmation":"long enough","role":"admin"}
                    """)
            #expect(reply.status == 201)
            #expect(reply.json["user"].keys == ["id", "name", "email", "role", "created_at"])
            #expect(reply.json["user"]["name"] == "Ada")
            #expect(reply.json["user"]["email"] == "Ada@Example.com")
            #expect(reply.json["user"]["role"] == "customer")
            let time = try #require(reply.json["user"]["created_at"].string)
            #expect(time.wholeMatch(of: /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z/) != nil)

            let token = try #require(reply.json["token"].string)
            #expect(token.wholeMatch(of: /\d+\|[A-Za-z0-9]{40,}/) != nil)
            let user = try await api.call(.GET, "/user", token: token)
            #expect(user.status == 200)
            #expect(user.json == reply.json["user"])
            #expect(try await api.call(.GET, "/api/user", token: token).json == user.json)
        }
    }

    @Test("HTTP-11, ACC-2: what is wrong with a registration is said in Laravel's words, all at once")
    func registrationTexts() async throws {
        try await TicketHarness.run { api in
            let empty = try await api.call(.POST, "/register", json: "{}")
            #expect(empty.status == 422)
            #expect(empty.json["message"] == "The name field is required. (and 2 more errors)")
            #expect(empty.json["errors"]["name"] == ["The name field is required."])
            #expect(empty.json["errors"]["email"] == ["The email field is required."])
            #expect(empty.json["errors"]["password"] == ["The password field is required."])

            _ = try await api.customer("Ada")
            let wrong = try await api.call(
                .POST, "/register",
                json: """
                    {"name":"\(String(repeating: "é", count: 256))","email":"ADA@example.COM","password":"short",
                     "password_confirmation":"other"}
                    """)
            #expect(wrong.json["errors"]["name"] == ["The name field must not be greater than 255 characters."])
            #expect(wrong.json["errors"]["email"] == ["The email has already been taken."])
            #expect(
                wrong.json["errors"]["password"] == [
                    "The password field must be at least 8 characters.",
                    "The password field confirmation does not match.",
                ])

            let types = try await api.call(
                .POST, "/register",
                json: #"{"name":5,"email":"not an address","password":"long enough"}"#)
            #expect(types.json["errors"]["name"] == ["The name field must be a string."])
            #expect(types.json["errors"]["email"] == ["The email field must be a valid email address."])
            #expect(types.json["errors"]["password"] == ["The password field confirmation does not match."])
            #expect(types.json["message"] == "The name field must be a string. (and 2 more errors)")
        }
    }

    @Test("HTTP-2, HTTP-6: a form is as good as JSON")
    func form() async throws {
        try await TicketHarness.run { api in
            let reply = try await api.call(
                .POST, "/api/register",
                form:
                    "name=Ada+L%C3%B6ve&email=ada%40example.com&password=a%2Bb+c%25de&password_confirmation=a%2Bb+c%25de"
            )
            #expect(reply.status == 201)
            #expect(reply.json["user"]["name"] == "Ada Löve")
            let login = try await api.call(.POST, "/login", json: #"{"email":"ADA@EXAMPLE.COM","password":"a+b c%de"}"#)
            #expect(login.status == 200)
        }
    }

    @Test(
        "ACC-2, ACC-3, ACC-8: one 401 for a wrong password and an unknown address; else another token, which can end"
    )
    func login() async throws {
        try await TicketHarness.run { api in
            let ada = try await api.customer("Ada")
            let wrong = try await api.call(.POST, "/login", json: #"{"email":"ada@example.com","password":"wrong"}"#)
            let unknown = try await api.call(.POST, "/login", json: #"{"email":"bob@example.com","password":"wrong"}"#)
            #expect(wrong.status == 401)
            #expect(wrong.json == ["message": "Invalid credentials"])
            #expect(unknown.status == 401 && unknown.text == wrong.text)

            let right = try await api.call(
                .POST, "/login", json: #"{"email":"Ada@example.com","password":"long enough","device_name":"phone"}"#)
            #expect(right.status == 200)
            let token = try #require(right.json["token"].string)
            #expect(token != ada.token)

            // That token is dead, others live.
            let out = try await api.call(.POST, "/logout", token: token)
            #expect(out.status == 200 && out.json == ["message": "Logged out"])
            #expect(try await api.call(.GET, "/user", token: token).status == 401)
            #expect(try await api.call(.GET, "/user", token: ada.token).status == 200)
        }
    }

    @Test(
        "ACC-7: a token is refused when any part of it is wrong",
        arguments: [
            "", "1", "1|", "|", "x|y", "1|AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "99999999999999999999|x",
        ])
    func badTokens(_ token: String) async throws {
        try await TicketHarness.run { api in
            let ada = try await api.customer("Ada")
            let reply = try await api.call(.GET, "/user", token: token)
            #expect(reply.status == 401)
            #expect(reply.json == ["message": "Unauthenticated."])
            for near in [ada.token + "x", String(ada.token.dropLast()), String(ada.token.drop { $0 != "|" })] {
                #expect(try await api.call(.GET, "/user", token: near).status == 401)
            }
        }
    }

    @Test("ACC-11, HTTP-13: an email address has at most 255 characters and a password 1,024, wherever it is asked for")
    func lengths() async throws {
        try await TicketHarness.run { api in
            let tooLong = "The password field must not be greater than 1024 characters."
            func register(_ password: String) async throws -> TicketHarness.Reply {
                try await api.call(
                    .POST, "/register",
                    json: """
                        {"name":"Ada","email":"ada@example.com","password":"\(password)",
                         "password_confirmation":"\(password)"}
                        """)
            }
            let longest = String(repeating: "é", count: 1024)
            let refused = try await register(longest + "é")
            #expect(refused.status == 422)
            #expect(refused.json["errors"] == .object(["password": [.string(tooLong)]]))
            #expect(try await register(longest).status == 201)

            func logIn(_ email: String, _ password: String) async throws -> TicketHarness.Reply {
                try await api.call(.POST, "/login", json: #"{"email":"\#(email)","password":"\#(password)"}"#)
            }
            #expect(try await logIn("ada@example.com", longest).status == 200)
            let login = try await logIn(String(repeating: "x", count: 256), longest + "é")
            #expect(login.status == 422)
            #expect(
                login.json["errors"]
                    == .object([
                        "email": ["The email field must not be greater than 255 characters."],
                        "password": [.string(tooLong)],
                    ]))

            await #expect {
                _ = try await Accounts.create(
                    dataDirectory: api.directory, email: "root@example.com", name: nil, role: .admin,
                    password: longest + "é")
            } throws: { "\($0)" == tooLong }
        }
    }

    @Test(
        "ACC-4, ACC-6: five failed logins in a minute, then 429 even with the right password; later it is well again"
    )
    func throttle() async throws {
        try await TicketHarness.run { api in
            _ = try await api.customer("Ada")
            let wrong = #"{"email":"ada@example.com","password":"wrong"}"#
            for _ in 0..<5 { #expect(try await api.call(.POST, "/login", json: wrong).status == 401) }

            let right = #"{"email":"ADA@example.com","password":"long enough"}"#
            let reply = try await api.call(
                .POST, "/login", json: right, headers: [("X-Forwarded-For", "203.0.113.7")])
            #expect(reply.status == 429)
            #expect(reply.json == ["message": "Too Many Attempts."])
            #expect(reply.headers.first(name: "X-RateLimit-Limit") == "5")
            #expect(reply.headers.first(name: "X-RateLimit-Remaining") == "0")
            let wait = try #require(reply.headers.first(name: "Retry-After").flatMap { Int64($0) })
            #expect((1...60).contains(wait))

            // Another address is another account's business.
            let other = try await api.call(.POST, "/login", json: #"{"email":"bob@example.com","password":"wrong"}"#)
            #expect(other.status == 401)

            api.clock.advance(seconds: wait)
            #expect(try await api.call(.POST, "/login", json: right).status == 200)
        }
    }

    @Test("ACC-4, ACC-5: attempts made at the same time cannot slip past the throttle")
    func concurrentThrottle() async throws {
        try await TicketHarness.run { api in
            _ = try await api.customer("Ada")
            let statuses = try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<20 {
                    group.addTask {
                        try await api.call(.POST, "/login", json: #"{"email":"ada@example.com","password":"wrong"}"#)
                            .status
                    }
                }
                return try await group.reduce(into: [Int: Int]()) { $0[$1, default: 0] += 1 }
            }
            #expect(statuses == [401: 5, 429: 15])
        }
    }

    @Test("The command line makes admins while the server runs, and says what is wrong in a line")
    func commandLine() async throws {
        try await TicketHarness.run { api in
            let root = try await api.admin("Root")
            #expect(try await api.call(.GET, "/user", token: root.token).json["role"] == "admin")
            await #expect {
                _ = try await Accounts.create(
                    dataDirectory: api.directory, email: "ROOT@example.com", name: nil, role: .admin,
                    password: "long enough")
            } throws: { "\($0)" == "The email has already been taken." }
            await #expect {
                _ = try await Accounts.create(
                    dataDirectory: api.directory, email: "nobody", name: nil, role: .admin, password: "short")
            } throws: {
                "\($0)"
                    == "The email field must be a valid email address. The password field must be at least 8 characters."
            }
        }
    }

    @Test("The demo is planted once")
    func demo() async throws {
        try await TicketHarness.run { api in
            try await DemoSeed.plant(dataDirectory: api.directory)
            let login = try await api.call(
                .POST, "/login", json: #"{"email":"admin@example.com","password":"password"}"#)
            let token = try #require(login.json["token"].string)
            let before = try await api.call(.GET, "/tickets?per_page=100", token: token)
            #expect(before.json["meta"]["total"].int ?? 0 >= 5)
            try await DemoSeed.plant(dataDirectory: api.directory)
            #expect(try await api.call(.GET, "/tickets?per_page=100", token: token).text == before.text)
            let customer = try await api.call(
                .POST, "/login", json: #"{"email":"test@gmail.com","password":"11223344"}"#)
            #expect(customer.json["user"]["role"] == "customer")
            #expect(api.broker.events.isEmpty)
        }
    }
}
