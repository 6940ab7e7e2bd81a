import Addresses
import Broker
import BrokerCore
import PusherProtocol
import Testing

@Suite("Trusted proxies")
struct TrustedProxyTests {
    @Test(
        "P13: the word of a trusted proxy counts as TLS, that of anybody else does not",
        arguments: [
            (["127.0.0.0/8"], "X-Forwarded-Proto: https\r\n", true),
            (["127.0.0.0/8"], "x-forwarded-proto: WSS\r\n", true),
            (["127.0.0.0/8"], "X-Forwarded-Proto: http\r\n", false),
            (["127.0.0.0/8"], "X-Forwarded-Proto: https\r\nX-Forwarded-Proto: http\r\n", false),
            (["127.0.0.0/8"], "", false),
            (["192.0.2.1"], "X-Forwarded-Proto: https\r\n", false),
            ([], "X-Forwarded-Proto: https\r\n", false),
        ])
    func forwardedProto(proxies: [String], headers: String, isAccepted: Bool) async throws {
        let trusted = try proxies.map { try CIDR($0) }
        try await TestBroker.run(
            application: TestBroker.application(requiresTLS: true), configure: { $0.trustedProxies = trusted }
        ) { broker in
            let client = try await broker.upgraded(headers: headers)
            if isAccepted {
                try await client.awaitEstablished()
            } else {
                try await expectRefusal(client, code: 4000)
            }
        }
    }

    @Test(
        "A refusal is logged with the client's address, as far as it is known",
        arguments: [("127.0.0.1", "198.51.100.7"), ("192.0.2.1", "127.0.0.1")])
    func address(proxy: String, logged: String) async throws {
        let log = LogCollector()
        let trusted = [try CIDR(proxy)]
        try await TestBroker.run(logger: log.logger, configure: { $0.trustedProxies = trusted }) { broker in
            let client = try await broker.upgraded(
                path: "/app/nobody", headers: "X-Forwarded-For: 203.0.113.9, 198.51.100.7\r\n")
            try await expectRefusal(client, code: 4001)
        }
        #expect(
            log.lines.contains { $0.hasPrefix("debug: ") && $0.contains("address=\(logged) app=unknown code=4001 ") })
    }
}

@Suite("Limit of connections")
struct ConnectionLimitTests {
    @Test("P18: above the node's limit clients get 4100, whichever loop has them; requests do not count")
    func limit() async throws {
        try await TestBroker.run(loops: 4, configure: { $0.maxConnections = 8 }) { broker in
            let requests = try await broker.raw()
            #expect(try await requests.call("GET", "/apps/4711/channels").status == 200)
            var clients: [PusherTestClient] = []
            for _ in 0..<8 { clients.append(try await broker.client()) }
            for _ in 0..<8 { try await expectRefusal(try await broker.upgraded(), code: 4100) }
            #expect(try await requests.call("GET", "/apps/4711/channels").status == 200)
            for client in clients { try await client.expectNothingMore() }
        }
    }

    @Test("P18: however a client ends, it makes room for one other")
    func release() async throws {
        let application = TestBroker.application { _, rates, _ in rates.connections = 3 }
        // One loop: what is seen of an end in one request has been carried out whole.
        try await TestBroker.run(
            application: application, loops: 1, configure: { $0.maxConnections = 2 }
        ) { broker in
            for turn in 0..<3 {
                let leaving = try await broker.client()
                try await leaving.raw.send(clientFrame(0x88, [0x03, 0xE8]))
                #expect(try await leaving.closeCode() == 1000)
                let breaking = try await broker.client()
                try await breaking.raw.send([0x81, 0x00])
                #expect(try await breaking.closeCode() == 1002)
                let cut = try await broker.client()
                try await cut.subscribe("cut")
                cut.raw.cut()
                let http = try await broker.raw()
                while try await http.call("GET", "/apps/4711/channels").body.contains("cut") {}

                let staying = (try await broker.client(), try await broker.client())
                // Refused by the node, though its app has room.
                try await expectRefusal(try await broker.upgraded(), code: 4100)
                try await staying.0.expectNothingMore()
                await broker.reload([TestBroker.application(isEnabled: false)])
                #expect(try await staying.0.closeCode() == 4003, "turn \(turn)")
                #expect(try await staying.1.closeCode() == 4003, "turn \(turn)")
                await broker.reload([application])
            }
        }
    }

    @Test("P12 before P18: a client that its app's quota refuses is not counted")
    func quotaFirst() async throws {
        try await TestBroker.run(
            application: TestBroker.application { _, rates, _ in rates.connections = 1 },
            others: [
                Application(credentials: AppCredentials(id: "2", key: "other-key", secret: AppSecret("other-secret")))
            ],
            configure: { $0.maxConnections = 2 }
        ) { broker in
            _ = try await broker.client()
            for _ in 0..<3 { try await expectRefusal(try await broker.upgraded(), code: 4004) }
            _ = try await broker.client(key: "other-key")
            try await expectRefusal(try await broker.upgraded(path: "/app/other-key"), code: 4100)
        }
    }
}

@Suite("Limit of connections of an address")
struct AddressLimitTests {
    @Test("P18: above its limit an address gets 4100, others do not; whoever goes makes room")
    func limit() async throws {
        let trusted = [try CIDR("127.0.0.1")]
        try await TestBroker.run(
            loops: 2,
            configure: {
                $0.maxConnectionsPerAddress = 2
                $0.trustedProxies = trusted
            }
        ) { broker in
            @Sendable func from(_ address: String) async throws -> PusherTestClient {
                try await broker.upgraded(headers: "X-Forwarded-For: \(address)\r\n")
            }
            @Sendable func admitted(_ address: String) async throws -> PusherTestClient {
                let client = try await from(address)
                try await client.awaitEstablished()
                return client
            }
            let first = [try await admitted("192.0.2.1"), try await admitted("192.0.2.1")]
            try await expectRefusal(try await from("192.0.2.1"), code: 4100)
            // A subscriber has a /64.
            let second = [try await admitted("2001:db8::1"), try await admitted("2001:db8::2")]
            try await expectRefusal(try await from("2001:db8::3"), code: 4100)
            _ = try await admitted("2001:db8:0:1::3")
            // The refused ones count nowhere.
            for client in first + second { try await client.expectNothingMore() }
            try await broker.expectMetrics(
                #"switchboard_broker_connections{app="4711"} 5"#,
                #"switchboard_broker_refusals_total{code="4100",reason="too_many_from_address"} 2"#)
            try await first[0].raw.send(clientFrame(0x88, [0x03, 0xE8]))
            #expect(try await first[0].closeCode() == 1000)
            try await admitted("192.0.2.1").expectNothingMore()
            try await expectRefusal(try await from("192.0.2.1"), code: 4100)
        }
    }
}

@Suite("Limit of requests of a connection")
struct RequestLimitTests {
    @Test("A connection ends behind the last request that it may carry; what follows on it is nobody's")
    func limit() async throws {
        try await TestBroker.run(configure: { $0.maxRequestsPerConnection = 3 }) { broker in
            let (busy, neighbour) = (try await broker.raw(), try await broker.raw())
            let request = "GET /up HTTP/1.1\r\nHost: t\r\n\r\n"
            try await neighbour.send(request)
            #expect(try await neighbour.answer().status == 200)
            try await busy.send(String(repeating: request, count: 5))
            for number in 1...3 {
                let answer = try await busy.answer()
                #expect(answer.status == 200)
                #expect((answer.fields["connection"] == "close") == (number == 3))
            }
            #expect(try await busy.takeAll().isEmpty)
            try await neighbour.send(request)
            #expect(try await neighbour.answer().fields["connection"] == nil)
        }
    }
}
