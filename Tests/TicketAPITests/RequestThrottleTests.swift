import Addresses
import NIOHTTP1
import Testing

@testable import TicketAPI

@Suite(.timeLimit(.minutes(3)))
struct RequestThrottleTests {
    /// 2026-03-02T00:00:15Z: 45 seconds of the minute are left.
    private static let now = Timestamp(microseconds: 1_772_409_615_000_000)

    private static func run(
        perUser: Int? = nil, perAddress: Int? = nil, _ body: @Sendable (TicketHarness) async throws -> Void
    ) async throws {
        try await TicketHarness.run { configuration in
            configuration.requestsPerMinutePerUser = perUser
            configuration.requestsPerMinutePerAddress = perAddress
        } _: { api in
            api.clock.stop(at: Self.now)
            try await body(api)
        }
    }

    /// Status, limit, remaining.
    private static func summary(_ reply: TicketHarness.Reply) -> [String] {
        ["\(reply.status)"]
            + ["X-RateLimit-Limit", "X-RateLimit-Remaining"].map { reply.headers.first(name: $0) ?? "-" }
    }

    @Test("LIM-1, LIM-3: a user's requests of a minute are limited, with all tokens together; each answer counts down")
    func perUser() async throws {
        try await Self.run(perUser: 5) { api in
            let ada = try await api.customer("Ada")
            let bob = try await api.customer("Bob")
            let login = try await api.call(
                .POST, "/login", json: #"{"email":"ada@example.com","password":"long enough"}"#)
            #expect(Self.summary(login) == ["200", "-", "-"])
            let second = try #require(login.json["token"].string)
            func get(_ path: String, _ token: String) async throws -> [String] {
                Self.summary(try await api.call(.GET, path, token: token))
            }
            #expect(try await get("/user", ada.token) == ["200", "5", "4"])
            #expect(try await get("/tickets", second) == ["200", "5", "3"])
            #expect(try await get("/tickets/999", ada.token) == ["404", "5", "2"])
            let wrong = try await api.call(.POST, "/tickets", token: ada.token, json: "{")
            #expect(Self.summary(wrong) == ["400", "5", "1"])
            #expect(try await get("/stats", ada.token) == ["403", "5", "0"])

            let refused = try await api.call(.POST, "/tickets", token: second, json: "{")
            #expect(Self.summary(refused) == ["429", "5", "0"])
            #expect(refused.json == ["message": "Too Many Attempts."])
            #expect(refused.headers.first(name: "Retry-After") == "45")
            #expect(refused.headers.first(name: "X-RateLimit-Reset") == "1772409660")
            #expect(try await get("/user", bob.token) == ["200", "5", "4"])
            #expect(try await get("/up", ada.token) == ["200", "-", "-"])

            api.clock.advance(seconds: 44)
            let late = try await api.call(.GET, "/user", token: ada.token)
            #expect(late.headers.first(name: "Retry-After") == "1")
            api.clock.advance(seconds: 1)
            #expect(try await get("/user", ada.token) == ["200", "5", "4"])
        }
    }

    @Test("LIM-2, LIM-3: an address's requests without credentials are limited, and lock out nobody who has some")
    func perAddress() async throws {
        try await Self.run(perAddress: 3) { api in
            let ada = try await api.customer("Ada")
            func get(_ path: String, _ token: String? = nil) async throws -> [String] {
                Self.summary(try await api.call(.GET, path, token: token))
            }
            #expect(try await get("/user") == ["401", "3", "1"])
            #expect(try await get("/nowhere", ada.token) == ["404", "3", "0"])
            #expect(try await get("/user") == ["429", "3", "0"])
            let register = try await api.call(
                .POST, "/register", form: String(repeating: "x", count: 2000), headers: [])
            #expect(Self.summary(register) == ["429", "3", "0"])
            #expect(register.headers.first(name: "Retry-After") == "45")
            let login = try await api.call(
                .POST, "/login", token: ada.token, json: #"{"email":"ada@example.com","password":"long enough"}"#)
            #expect(login.status == 429)
            for _ in 1...10 { #expect(try await get("/user", ada.token) == ["200", "-", "-"]) }
            #expect(try await get("/up") == ["200", "-", "-"])
            api.clock.advance(seconds: 45)
            #expect(try await get("/user") == ["401", "3", "2"])
        }
    }

    @Test("LIM-2: after as many wrong credentials as are allowed none is looked at any more, not even the right ones")
    func guessing() async throws {
        try await Self.run(perAddress: 3) { api in
            let ada = try await api.customer("Ada")
            let wrong = "\(ada.token.prefix { $0 != "|" })|\(String(repeating: "x", count: 48))"
            #expect(try await api.call(.GET, "/user", token: ada.token).status == 200)
            let first = try await api.call(.GET, "/user", token: wrong)
            #expect(Self.summary(first) == ["401", "3", "2"])
            let other = try await api.call(.GET, "/user", headers: [("Authorization", "Basic eDp5")])
            #expect(Self.summary(other) == ["401", "3", "1"])
            // Refused before anybody is known.
            let method = try await api.call(.DELETE, "/user", token: ada.token)
            #expect(Self.summary(method) == ["405", "3", "0"])
            for token in [wrong, ada.token] {
                let refused = try await api.call(.GET, "/user", token: token)
                #expect(Self.summary(refused) == ["429", "3", "0"])
                #expect(refused.headers.first(name: "Retry-After") == "45")
            }
            // Those without credentials are counted apart: one of three was the registration.
            #expect(Self.summary(try await api.call(.GET, "/user")) == ["401", "3", "1"])
            api.clock.advance(seconds: 45)
            #expect(try await api.call(.GET, "/user", token: ada.token).status == 200)
        }
    }

    @Test("LIM-1, LIM-2: requests at the same time cannot slip past each other")
    func concurrency() async throws {
        try await Self.run(perUser: 20, perAddress: 10) { api in
            let ada = try await api.customer("Ada")
            func passed(_ token: String?) async throws -> Int {
                try await withThrowingTaskGroup(of: Int.self) { group in
                    for _ in 1...60 { group.addTask { try await api.call(.GET, "/user", token: token).status } }
                    return try await group.reduce(0) { $0 + ($1 == 429 ? 0 : 1) }
                }
            }
            #expect(try await passed(ada.token) == 20)
            #expect(try await passed(nil) == 9)
        }
    }

    @Test("ACC-4, LIM-3: a login that is refused for its failures tells of that limit")
    func loginLimit() async throws {
        try await Self.run(perAddress: 100) { api in
            func attempt() async throws -> TicketHarness.Reply {
                try await api.call(.POST, "/login", json: #"{"email":"ada@example.com","password":"wrong"}"#)
            }
            for left in (95...99).reversed() {
                #expect(Self.summary(try await attempt()) == ["401", "100", "\(left)"])
            }
            let refused = try await attempt()
            #expect(Self.summary(refused) == ["429", "5", "0"])
            #expect(refused.headers.first(name: "Retry-After") == "60")
            #expect(refused.headers.first(name: "X-RateLimit-Reset") == "1772409675")
        }
    }

    @Test("LIM-3: by default there is no limit and no header")
    func off() async throws {
        try await Self.run { api in
            let ada = try await api.customer("Ada")
            for token in [nil, ada.token] {
                for _ in 1...50 {
                    let reply = try await api.call(.GET, "/user", token: token)
                    #expect(reply.status != 429 && reply.headers.first(name: "X-RateLimit-Limit") == nil)
                }
            }
        }
    }

    @Test("LIM-4: a hundred thousand addresses make nobody's count smaller, and keep nobody out")
    func manyAddresses() throws {
        let counts = RequestCounts(limit: 10)
        for _ in 1...10 { _ = try counts.take("victim", now: Self.now) }
        for address in 0..<100_000 { _ = try counts.take(address, now: Self.now) }
        #expect(throws: TicketFailure.self) { try counts.take("victim", now: Self.now) }
        #expect(throws: TicketFailure.self) { try counts.check("victim", now: Self.now) }
        try counts.check("newcomer", now: Self.now)
        for _ in 1...6 { _ = try counts.take("newcomer", now: Self.now) }
        _ = try counts.take("victim", now: Self.now.advanced(bySeconds: 45))
    }

    @Test("LIM-1: a call that comes a moment late resets nothing; a clock that was put back does not lock anybody out")
    func clockMoves() throws {
        let counts = RequestCounts(limit: 2)
        let next = Self.now.advanced(bySeconds: 60)
        for _ in 1...2 { _ = try counts.take("ada", now: next) }
        #expect(throws: TicketFailure.self) { try counts.take("ada", now: Self.now) }
        #expect(throws: TicketFailure.self) { try counts.take("ada", now: next) }
        _ = try counts.take("ada", now: Self.now.advanced(bySeconds: -86_400))
    }

    @Test("LIM-4: an IPv6 address counts as its /64, an IPv4 address as itself in either spelling")
    func keys() {
        #expect(NetworkKey("2001:db8:1:2::1") == NetworkKey("2001:db8:1:2:ffff:ffff:ffff:ffff"))
        #expect(NetworkKey("2001:db8:1:2::1") != NetworkKey("2001:db8:1:3::1"))
        #expect(NetworkKey("192.0.2.1") != NetworkKey("192.0.2.2"))
        #expect(NetworkKey("192.0.2.1") == NetworkKey("::ffff:192.0.2.1"))
        #expect(NetworkKey("::1") != NetworkKey("0.0.0.1"))
        #expect(NetworkKey("unknown") == NetworkKey("unknown"))
        #expect(NetworkKey("unknown") != NetworkKey("::"))
    }
}
