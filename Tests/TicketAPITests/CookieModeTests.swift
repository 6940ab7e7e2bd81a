import Addresses
import NIOHTTP1
import Testing
import TicketAPI

@Suite(.timeLimit(.minutes(3)))
struct CookieModeTests {
    private static let mismatch: Value = ["message": "CSRF token mismatch."]

    @Test("COOK-1, COOK-2: the cookies have their flags, and a guest keeps the session that it has")
    func cookies() async throws {
        try await TicketHarness.run { api in
            let browser = Browser(api)
            let reply = try await browser.call(.GET, "/sanctum/csrf-cookie")
            #expect(reply.status == 204 && reply.text.isEmpty)
            let cookies = reply.headers["Set-Cookie"]
            #expect(cookies.count == 2)
            let session = try #require(cookies.first { $0.hasPrefix("switchboard_session=") })
            let csrf = try #require(cookies.first { $0.hasPrefix("XSRF-TOKEN=") })
            let attributes = "; Max-Age=34560000; Path=/; SameSite=Lax"
            #expect(
                session.wholeMatch(of: /switchboard_session=[A-Za-z0-9]{48}; (.*)/)?.1
                    == "\(attributes.dropFirst(2)); HttpOnly")
            #expect(csrf.wholeMatch(of: /XSRF-TOKEN=[0-9a-f]{64}; (.*)/)?.1 == attributes.dropFirst(2))

            let (before, token) = (browser.session, browser.csrfToken)
            try await browser.call(.GET, "/api/sanctum/csrf-cookie")
            #expect(browser.session == before && browser.csrfToken == token)
            // A guest is nobody.
            #expect(try await browser.call(.GET, "/user").json == ["message": "Unauthenticated."])
            #expect(try await browser.call(.POST, "/tickets", json: "{}").status == 401)
        }
    }

    @Test("COOK-3, COOK-5: login makes the browser's session, under another id, and gives no token")
    func login() async throws {
        try await TicketHarness.run { api in
            let ada = try await api.customer("Ada")
            let browser = Browser(api)
            try await browser.call(.GET, "/sanctum/csrf-cookie")
            let (guest, guestToken) = (try #require(browser.session), try #require(browser.csrfToken))
            let reply = try await browser.logIn(ada.email)
            #expect(reply.status == 200 && reply.json.keys == ["user"])
            #expect(reply.json["user"]["id"] == .int(ada.id))
            #expect(browser.session != guest && browser.csrfToken != guestToken)
            #expect(try await browser.standing == 200)
            #expect(
                try await browser.call(
                    .POST, "/tickets",
                    json: #"{"subject":"S","description":"D","category":"Billing","priority":"Low"}"#
                ).status == 201)

            // What somebody planted before the login is worth nothing after it: neither the cookie nor its token.
            let planted = ("Cookie", "switchboard_session=\(guest)")
            #expect(try await api.call(.GET, "/user", headers: [planted]).status == 401)
            #expect(
                try await browser.call(.POST, "/logout", csrf: [("X-XSRF-TOKEN", guestToken)]).json == Self.mismatch)

            // A second login takes the place of the first.
            let first = try #require(browser.session)
            #expect(try await browser.logIn(ada.email).status == 200)
            #expect(browser.session != first)
            let old = ("Cookie", "switchboard_session=\(first)")
            #expect(try await api.call(.GET, "/user", headers: [old]).status == 401)
            #expect(try await api.call(.GET, "/user", token: ada.token).status == 200)
        }
    }

    @Test("COOK-3: registering with a session cookie logs in as well")
    func register() async throws {
        try await TicketHarness.run { api in
            let browser = Browser(api)
            let body = """
                {"name":"Bob","email":"bob@example.com","password":"long enough","password_confirmation":"long enough"}
                """
            try await browser.call(.GET, "/sanctum/csrf-cookie")
            #expect(try await browser.call(.POST, "/register", json: body, csrf: []).json == Self.mismatch)
            let reply = try await browser.call(.POST, "/register", json: body)
            #expect(reply.status == 201 && reply.json.keys == ["user"])
            #expect(try await browser.standing == 200)
        }
    }

    @Test("COOK-4: login and register with a session cookie need the token, whatever the body is")
    func loginNeedsToken() async throws {
        try await TicketHarness.run { api in
            let ada = try await api.customer("Ada")
            let browser = Browser(api)
            try await browser.call(.GET, "/sanctum/csrf-cookie")
            let right = #"{"email":"\#(ada.email)","password":"long enough"}"#
            for body in [right, "{}", "{", ""] {
                for path in ["/login", "/register"] {
                    let reply = try await browser.call(.POST, path, json: body, csrf: [])
                    #expect(reply.status == 419 && reply.json == Self.mismatch, "\(path) \(body)")
                    #expect(reply.headers["Set-Cookie"].isEmpty)
                }
            }
            // Without the cookie nobody is in cookie mode.
            #expect(try await api.call(.POST, "/login", json: right).json["token"].string != nil)
        }
    }

    @Test(
        "COOK-4: every unsafe route needs the token of a caller with a session; reading does not",
        arguments: [
            (HTTPMethod.POST, "/logout"), (.PUT, "/user/password"), (.DELETE, "/user/tokens/1"), (.POST, "/tickets"),
            (.PUT, "/tickets/1"), (.PATCH, "/tickets/1"), (.DELETE, "/tickets/1"),
            (.POST, "/tickets/1/chat/messages"), (.POST, "/broadcasting/auth"), (.POST, "/api/broadcasting/auth"),
        ])
    func unsafeRoutes(_ method: HTTPMethod, _ path: String) async throws {
        try await TicketHarness.run { api in
            let ada = try await api.customer("Ada")
            _ = try await api.ticket(of: ada)
            let browser = Browser(api)
            try await browser.logIn(ada.email)
            let token = try #require(browser.csrfToken)
            let near = (token.first == "0" ? "1" : "0") + token.dropFirst()
            for csrf in [
                [], [("X-XSRF-TOKEN", "")], [("X-XSRF-TOKEN", near)], [("X-CSRF-TOKEN", String(token.dropLast()))],
                [("X-XSRF-TOKEN", token + "0")], [("X-CSRF-TOKEN", "\u{FF}")],
            ] {
                let reply = try await browser.call(method, path, json: "{", csrf: csrf)
                #expect(reply.status == 419 && reply.json == Self.mismatch, "\(csrf)")
            }
            #expect(try await browser.call(method, path, form: "_token=\(near)", csrf: []).status == 419)
            #expect(try await browser.standing == 200)
            // Behind the check the body is looked at, or nothing is missing.
            #expect(try await browser.call(method, path, json: "{").status != 419)
        }
    }

    @Test("COOK-4: the token is good in each of its three places")
    func carriers() async throws {
        try await TicketHarness.run { api in
            let ada = try await api.customer("Ada")
            let id = try await api.ticket(of: ada)
            let browser = Browser(api)
            try await browser.logIn(ada.email)
            let token = try #require(browser.csrfToken)
            func post(_ csrf: [(String, String)], json: String? = nil, form: String? = nil) async throws -> Int {
                try await browser.call(
                    .POST, "/tickets/\(id)/chat/messages", json: json, form: form, csrf: csrf
                ).status
            }
            let body = #"{"content":"Hello"}"#
            #expect(try await post([("X-XSRF-TOKEN", token)], json: body) == 201)
            #expect(try await post([("X-CSRF-TOKEN", token)], json: body) == 201)
            #expect(try await post([("X-CSRF-TOKEN", "stale"), ("X-XSRF-TOKEN", token)], json: body) == 201)
            #expect(try await post([], json: #"{"content":"Hello","_token":"\#(token)"}"#) == 201)
            #expect(try await post([], form: "content=Hello&_token=\(token)") == 201)
            #expect(try await post([], form: "content=Hello") == 419)
            // The query is in logs and histories.
            let query = try await browser.call(
                .POST, "/tickets/\(id)/chat/messages?_token=\(token)", json: body, csrf: [])
            #expect(query.status == 419)
            let renamed = try await browser.call(
                .POST, "/tickets/\(id)", form: "_method=PATCH&subject=New&_token=\(token)", csrf: [])
            #expect(renamed.status == 200 && renamed.json["data"]["subject"] == "New")
            #expect(try await browser.call(.POST, "/tickets/\(id)", form: "_method=PATCH", csrf: []).status == 419)
        }
    }

    @Test("COOK-6: a bearer token beside cookies is who calls, and needs no CSRF token")
    func bearerWins() async throws {
        try await TicketHarness.run { api in
            let (ada, bob) = (try await api.customer("Ada"), try await api.customer("Bob"))
            let browser = Browser(api)
            try await browser.logIn(ada.email)
            func asBob(_ token: String) -> [(String, String)] { [("Authorization", "Bearer \(token)")] }
            let user = try await browser.call(.GET, "/user", headers: asBob(bob.token))
            #expect(user.json["id"] == .int(bob.id))
            let ticket = try await browser.call(
                .POST, "/tickets", json: #"{"subject":"S","description":"D","category":"Billing","priority":"Low"}"#,
                csrf: [], headers: asBob(bob.token))
            #expect(ticket.json["data"]["user"]["id"] == .int(bob.id))
            #expect(try await browser.call(.GET, "/user", headers: asBob("1|nope")).status == 401)
            let login = try await browser.call(
                .POST, "/login", json: #"{"email":"\#(ada.email)","password":"long enough"}"#, csrf: [],
                headers: asBob(bob.token))
            #expect(login.status == 200 && login.json["token"].string != nil)
            #expect(login.headers["Set-Cookie"].isEmpty)

            // A session is no token, and a token no session.
            let session = try #require(browser.session)
            #expect(try await api.call(.GET, "/user", token: session).status == 401)
            let asToken = session.split(separator: ".").joined(separator: "|")
            #expect(try await api.call(.GET, "/user", token: asToken).status == 401)
            let asSession = bob.token.split(separator: "|").joined(separator: ".")
            let cookie = ("Cookie", "switchboard_session=\(asSession)")
            #expect(try await api.call(.GET, "/user", headers: [cookie]).status == 401)
        }
    }

    @Test("COOK-7: logout ends that session and no other, and leaves a guest who can log in again")
    func logout() async throws {
        try await TicketHarness.run { api in
            let ada = try await api.customer("Ada")
            let (desk, phone) = (Browser(api), Browser(api))
            try await desk.logIn(ada.email)
            try await phone.logIn(ada.email)
            let session = try #require(desk.session)
            #expect(try await desk.call(.POST, "/logout").json == ["message": "Logged out"])
            #expect(desk.session != session)
            #expect(try await desk.standing == 401)
            #expect(
                try await api.call(.GET, "/user", headers: [("Cookie", "switchboard_session=\(session)")]).status == 401
            )
            #expect(try await phone.standing == 200)
            #expect(try await api.call(.GET, "/user", token: ada.token).status == 200)
            let again = try await desk.call(
                .POST, "/login", json: #"{"email":"\#(ada.email)","password":"long enough"}"#)
            #expect(again.status == 200)
            #expect(try await desk.standing == 200)
        }
    }

    @Test("COOK-8: a session that nobody used for two hours is over; one that is used is not")
    func idleSession() async throws {
        try await TicketHarness.run { api in
            let ada = try await api.customer("Ada")
            let (busy, idle) = (Browser(api), Browser(api))
            try await busy.logIn(ada.email)
            try await idle.logIn(ada.email)
            for _ in 0..<3 {
                api.clock.advance(seconds: 3500)
                #expect(try await busy.standing == 200)
                try await api.waitForUse(notedBy: busy)
            }
            #expect(try await idle.standing == 401)
            #expect(try await api.call(.GET, "/user", token: ada.token).status == 200)
            // The cookie is there still, and as good as a guest's.
            let login = try await idle.call(
                .POST, "/login", json: #"{"email":"\#(ada.email)","password":"long enough"}"#)
            #expect(login.status == 200)
            #expect(try await idle.standing == 200)
        }
    }

    @Test(
        "COOK-9, PRX-1: behind the operator's proxy that speaks TLS the cookies are Secure, and nobody else can say so")
    func secure() async throws {
        try await TicketHarness.run(configure: { $0.trustedProxies = [try CIDR("127.0.0.1")] }) { api in
            let ada = try await api.customer("Ada")
            func areSecure(_ headers: [(String, String)]) async throws -> [Bool] {
                let browser = Browser(api, headers: headers)
                var cookies = try await browser.call(.GET, "/sanctum/csrf-cookie").headers["Set-Cookie"]
                cookies += try await browser.logIn(ada.email).headers["Set-Cookie"]
                cookies += try await browser.call(.POST, "/logout").headers["Set-Cookie"]
                return cookies.map { $0.contains("; Secure") }
            }
            #expect(try await areSecure([("X-Forwarded-Proto", "https")]) == Array(repeating: true, count: 6))
            #expect(try await areSecure([("X-Forwarded-Proto", "http")]) == Array(repeating: false, count: 6))
            #expect(try await areSecure([]) == Array(repeating: false, count: 6))
        }
        try await TicketHarness.run { api in
            let reply = try await api.call(
                .GET, "/sanctum/csrf-cookie", headers: [("X-Forwarded-Proto", "https")])
            #expect(reply.headers["Set-Cookie"].allSatisfy { !$0.contains("Secure") })
        }
    }

    @Test(
        "COOK-10: the session is found among other cookies, and what is no session of ours is as if it were not there")
    func cookieHeaders() async throws {
        try await TicketHarness.run { api in
            let ada = try await api.customer("Ada")
            let browser = Browser(api)
            try await browser.logIn(ada.email)
            let session = try #require(browser.session)
            for good in [
                "switchboard_session=\(session)", "a=b; switchboard_session=\(session); c=d",
                "a=b;switchboard_session=\(session);c=d", "switchboard_session=\"\(session)\"",
                " \tswitchboard_session = \(session) ", "switchboard_session; switchboard_session=\(session)",
                "switchboard_session=x; switchboard_session=\(session)", "=;;=; switchboard_session=\(session)",
            ] {
                #expect(try await api.call(.GET, "/user", headers: [("Cookie", good)]).status == 200, "\(good)")
            }
            let split = [("Cookie", "a=b"), ("Cookie", "switchboard_session=\(session)")]
            #expect(try await api.call(.GET, "/user", headers: split).status == 200)

            let secret = session.split(separator: ".")[1]
            for bad in [
                "switchboard_session", "switchboard_session=", "Switchboard_session=\(session)",
                "xswitchboard_session=\(session)", "switchboard_session=\(session)x", "switchboard_session=+\(session)",
                "switchboard_session=0\(session)", "switchboard_session=.\(secret)", "switchboard_session=-1.\(secret)",
                "switchboard_session=99999999999999999999.\(secret)", "switchboard_session=1.2.\(secret)",
                "switchboard_session=\"\(session)", "switchboard_session=é\u{FF}\(secret)",
                "switchboard_session=%31.\(secret)",
            ] {
                let headers = [("Cookie", bad)]
                #expect(try await api.call(.GET, "/user", headers: headers).status == 401, "\(bad)")
                // Not in cookie mode: no CSRF token is asked for.
                let login = try await api.call(
                    .POST, "/login", json: #"{"email":"\#(ada.email)","password":"long enough"}"#, headers: headers)
                #expect(login.json["token"].string != nil, "\(bad)")
            }
        }
    }

    @Test("COOK-10: hostile bytes in a Cookie field do no harm")
    func hostileBytes() async throws {
        try await TicketHarness.run { api in
            for value in [
                "\u{80}\u{FF}=\u{FE}; switchboard_session=\u{80}", String(repeating: ";", count: 10_000),
                String(repeating: "switchboard_session=;", count: 700), "=", String(repeating: "=", count: 10_000),
            ] {
                let answer = try await RawRequest.send(
                    "GET /user HTTP/1.1\r\nHost: x\r\nCookie: \(value)\r\n\r\n", port: api.port)
                #expect(answer.hasPrefix("HTTP/1.1 401 "), "\(value.prefix(20)): \(answer.prefix(40))")
            }
            let long = String(repeating: "x", count: 40_000)
            let answer = try await RawRequest.send(
                "GET /user HTTP/1.1\r\nHost: x\r\nCookie: a=\(long)\r\n\r\n", port: api.port)
            #expect(answer.hasPrefix("HTTP/1.1 4"))
            #expect(try await api.call(.GET, "/up").status == 200)
        }
    }

    @Test("COOK-2: a session and its CSRF token outlive a restart of the server")
    func restart() async throws {
        try await TicketHarness.run { api in
            let ada = try await api.customer("Ada")
            let browser = Browser(api)
            try await browser.logIn(ada.email)
            try await api.stop()
            try await api.start()
            #expect(try await browser.standing == 200)
            #expect(try await browser.call(.POST, "/logout").status == 200)
        }
    }
}
