import NIOHTTP1
import Testing
import TicketAPI

@Suite(.timeLimit(.minutes(3)))
struct CrossOriginTests {
    private static let app = "https://app.example.com"

    private func run(_ body: @Sendable (TicketHarness) async throws -> Void) async throws {
        try await TicketHarness.run(
            configure: { configuration in
                configuration.allowedOrigins = Set(
                    ["https://APP.example.com:443", "http://localhost:3000"].compactMap {
                        WebOrigin($0)
                    })
            }, body)
    }

    @Test(
        "CORS-1, CORS-2: a page of a listed origin may ask beforehand, on any path",
        arguments: [app, "http://localhost:3000"])
    func preflight(_ origin: String) async throws {
        try await self.run { api in
            for path in ["/login", "/tickets/1", "/api/user", "/sanctum/csrf-cookie", "/nope"] {
                let reply = try await api.call(
                    .OPTIONS, path,
                    headers: [
                        ("Origin", origin), ("Access-Control-Request-Method", "PATCH"),
                        ("Access-Control-Request-Headers", "authorization,content-type,x-socket-id,x-xsrf-token"),
                    ])
                #expect(reply.status == 204 && reply.text.isEmpty)
                #expect(reply.headers["Access-Control-Allow-Origin"] == [origin])
                #expect(reply.headers["Access-Control-Allow-Credentials"] == ["true"])
                #expect(reply.headers["Vary"] == ["Origin"])
                #expect(reply.headers.first(name: "Access-Control-Max-Age") == "7200")
                let methods = try #require(reply.headers.first(name: "Access-Control-Allow-Methods"))
                #expect(methods == "GET, HEAD, POST, PUT, PATCH, DELETE")
                let allowed = try #require(reply.headers.first(name: "Access-Control-Allow-Headers")).lowercased()
                for name in [
                    "authorization", "content-type", "x-socket-id", "x-xsrf-token", "x-csrf-token", "x-requested-with",
                    "idempotency-key", "if-match", "range",
                ] {
                    #expect(allowed.split(separator: ", ").contains(Substring(name)), "\(name)")
                }
            }
        }
    }

    @Test("CORS-1, CORS-3: every answer to a listed origin can be read, errors too")
    func answers() async throws {
        try await self.run { api in
            let ada = try await api.customer("Ada")
            func check(
                _ method: HTTPMethod, _ path: String, _ status: Int, token: String? = nil, json: String? = nil
            ) async throws {
                let reply = try await api.call(
                    method, path, token: token, json: json, headers: [("Origin", Self.app)])
                #expect(reply.status == status, "\(path)")
                #expect(reply.headers["Access-Control-Allow-Origin"] == [Self.app], "\(path)")
                #expect(reply.headers["Access-Control-Allow-Credentials"] == ["true"])
                #expect(reply.headers["Vary"].contains("Origin"))
                let exposed = reply.headers.first(name: "Access-Control-Expose-Headers") ?? ""
                for name in [
                    "ETag", "Retry-After", "X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset",
                    "Idempotency-Replayed",
                    "Content-Disposition",
                ] {
                    #expect(exposed.contains(name), "\(name)")
                }
            }
            try await check(.GET, "/user", 200, token: ada.token)
            try await check(.HEAD, "/up", 200)
            try await check(.GET, "/user", 401)
            try await check(.GET, "/nope", 404)
            try await check(.GET, "/login", 405)
            try await check(.OPTIONS, "/login", 405)
            try await check(.POST, "/login", 400, json: "{")
            try await check(.POST, "/login", 422, json: "{}")
            try await check(.POST, "/login", 413, json: String(repeating: "x", count: 1 << 20 + 1))
            for _ in 0..<5 {
                try await check(.POST, "/login", 401, json: #"{"email":"ada@example.com","password":"wrong"}"#)
            }
            try await check(.POST, "/login", 429, json: #"{"email":"ada@example.com","password":"wrong"}"#)
        }
    }

    @Test(
        "CORS-1: other origins are told nothing",
        arguments: [
            "https://evil.example.com", "http://app.example.com", "https://app.example.com:8443", "null", "*", "",
            "https://app.example.com.evil.com", "https://app.example.com/", "HTTPS://APP.EXAMPLE.COM",
        ])
    func others(_ origin: String) async throws {
        try await self.run { api in
            let ada = try await api.customer("Ada")
            let simple = try await api.call(.GET, "/user", token: ada.token, headers: [("Origin", origin)])
            #expect(simple.status == 200)
            let asked = try await api.call(
                .OPTIONS, "/user", headers: [("Origin", origin), ("Access-Control-Request-Method", "GET")])
            #expect(asked.status == 405)
            for reply in [simple, asked] {
                #expect(!reply.headers.contains { $0.name.lowercased().hasPrefix("access-control-") })
                #expect(reply.headers["Vary"] == ["Origin"])
            }
        }
    }

    @Test("CORS-4: without a list there is no CORS at all")
    func none() async throws {
        try await TicketHarness.run { api in
            let reply = try await api.call(.GET, "/up", headers: [("Origin", Self.app)])
            #expect(!reply.headers.contains { $0.name.lowercased().hasPrefix("access-control-") })
            #expect(reply.headers["Vary"].isEmpty)
        }
    }

    @Test("CORS-1, COOK-4: a listed origin's page logs in with cookies, and needs the CSRF token as well")
    func cookies() async throws {
        try await self.run { api in
            let ada = try await api.customer("Ada")
            let browser = Browser(api, headers: [("Origin", Self.app)])
            #expect(try await browser.logIn(ada.email).status == 200)
            #expect(try await browser.standing == 200)
            let refused = try await browser.call(.POST, "/logout", csrf: [])
            #expect(refused.status == 419)
            #expect(refused.headers["Access-Control-Allow-Origin"] == [Self.app])
        }
    }

    @Test(
        "CORS-5: an origin is scheme, host and port as browsers write them",
        arguments: [
            ("https://app.example.com", "https://app.example.com"),
            ("HTTPS://App.Example.COM:443", "https://app.example.com"),
            ("http://localhost:80", "http://localhost"), ("http://localhost:3000", "http://localhost:3000"),
            ("http://[::1]:3000", "http://[::1]:3000"), ("https://[2001:DB8::1]", "https://[2001:db8::1]"),
            ("http://127.0.0.1:443", "http://127.0.0.1:443"),
        ])
    func origin(_ text: String, _ written: String) {
        #expect(WebOrigin(text)?.description == written)
    }

    @Test(
        "CORS-5: what is no origin is refused",
        arguments: [
            "", "*", "null", "https://*", "https://*.example.com", "https://", "example.com", "ftp://example.com",
            "https://example.com/", "https://example.com/path", "https://user@example.com", "https://example.com:",
            "https://example.com:0", "https://example.com:65536", "https://example.com:+80", "https://a b",
            "https://[::1", "https://::1", "https://exämple.com", "https://example.com?x", "https://[]x:80",
        ])
    func noOrigin(_ text: String) {
        #expect(WebOrigin(text) == nil)
    }
}
