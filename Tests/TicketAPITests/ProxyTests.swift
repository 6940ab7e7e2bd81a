import Addresses
import NIOHTTP1
import Testing
import TicketAPI

@Suite(.timeLimit(.minutes(3)))
struct ProxyTests {
    private func run(
        trusting ranges: String..., body: @Sendable (TicketHarness) async throws -> Void
    ) async throws {
        try await TicketHarness.run(configure: { $0.trustedProxies = try ranges.map { try CIDR($0) } }, body)
    }

    private static func attempt(
        _ api: TicketHarness, from forwardedFor: [String], password: String = "wrong"
    ) async throws -> Int {
        try await api.call(
            .POST, "/login", json: #"{"email":"ada@example.com","password":"\#(password)"}"#,
            headers: forwardedFor.map { ("X-Forwarded-For", $0) }
        ).status
    }

    @Test("ACC-4, PRX-1: behind a trusted proxy each client has tries of its own, whatever it writes itself")
    func trusted() async throws {
        try await self.run(trusting: "127.0.0.1", "10.0.0.0/8") { api in
            _ = try await api.customer("Ada")
            for index in 0..<5 {
                let fields = ["198.51.100.\(index), 203.0.113.7", "10.0.0.2"]
                #expect(try await Self.attempt(api, from: fields) == 401)
            }
            #expect(try await Self.attempt(api, from: ["203.0.113.7"], password: "long enough") == 429)
            #expect(try await Self.attempt(api, from: ["203.0.113.8"], password: "long enough") == 200)
            #expect(try await Self.attempt(api, from: [], password: "long enough") == 200)
            #expect(try await Self.attempt(api, from: ["2001:db8::1"], password: "long enough") == 200)
        }
    }

    @Test("ACC-6: a proxy that is not trusted changes nothing")
    func untrusted() async throws {
        try await self.run(trusting: "10.0.0.0/8", "::1") { api in
            _ = try await api.customer("Ada")
            for index in 0..<5 { #expect(try await Self.attempt(api, from: ["203.0.113.\(index)"]) == 401) }
            #expect(try await Self.attempt(api, from: ["203.0.113.9"], password: "long enough") == 429)
        }
    }

    @Test(
        "PRX-1, PRX-2: links have the scheme that a trusted proxy names, and the request's host, not X-Forwarded-Host")
    func links() async throws {
        @Sendable func first(_ api: TicketHarness, _ token: String) async throws -> Value {
            try await api.call(
                .GET, "/tickets", token: token,
                headers: [("X-Forwarded-Proto", "https"), ("X-Forwarded-Host", "evil.example.com")]
            ).json["links"]["first"]
        }
        try await self.run(trusting: "127.0.0.1") { api in
            let ada = try await api.customer("Ada")
            #expect(try await first(api, ada.token) == .string("https://127.0.0.1:\(api.port)/tickets?page=1"))
            let plain = try await api.call(.GET, "/tickets", token: ada.token)
            #expect(plain.json["links"]["first"] == .string("http://127.0.0.1:\(api.port)/tickets?page=1"))
        }
        try await self.run { api in
            let ada = try await api.customer("Ada")
            #expect(try await first(api, ada.token) == .string("http://127.0.0.1:\(api.port)/tickets?page=1"))
        }
    }
}
