import Broker
import BrokerCore
import PusherProtocol
import Support
import Testing

@Suite("Handshake")
struct HandshakeTests {
    @Test("P1–P3, P14: the first frame is connection_established, with string data, and no subprotocol is chosen")
    func established() async throws {
        try await TestBroker.run { broker in
            let client = try await PusherTestClient.connect(
                port: broker.port,
                path: "/app/\(TestBroker.credentials.key)?protocol=7&client=js&version=8.6.0&flash=false")
            let event = try await client.next()
            #expect(event.event == "pusher:connection_established")
            #expect(event.channel == nil)
            #expect(event.hasStringData)
            let data = try #require(event.data)
            #expect(data.wholeMatch(of: #/\{"socket_id":"[0-9]+\.[0-9]+","activity_timeout":120\}/#) != nil)
        }
    }

    @Test(
        "P5–P7: versions 5 to 7 and none are served, whatever else stands in the query",
        arguments: ["", "?protocol=5", "?protocol=6", "?protocol=7", "?x=1&protocol=7&y[]=%41", "?client=js"])
    func acceptedVersions(query: String) async throws {
        try await TestBroker.run { broker in
            let client = try await PusherTestClient.connect(
                port: broker.port, path: "/app/\(TestBroker.credentials.key)\(query)")
            #expect(try await client.next().event == "pusher:connection_established")
        }
    }

    @Test(
        "P8–P10, P20: a refused client is upgraded, gets the error as an event, and then the same code as a close",
        arguments: [
            ("/app/\(TestBroker.credentials.key)?protocol=99", 4007),
            ("/app/\(TestBroker.credentials.key)?protocol=abc", 4006),
            ("/app/\(TestBroker.credentials.key)?protocol=99&x=%zz", 4006),
            ("/app/nobody", 4001),
        ])
    func refusals(path: String, code: Int) async throws {
        try await TestBroker.run { broker in
            let client = try await PusherTestClient.connect(port: broker.port, path: path)
            try await expectRefusal(client, code: code)
        }
    }

    @Test("P11: a disabled app's clients are refused with 4003, its publishers with 403")
    func disabled() async throws {
        try await TestBroker.run(
            application: TestBroker.application(isEnabled: false)
        ) { broker in
            let client = try await PusherTestClient.connect(
                port: broker.port, path: "/app/\(TestBroker.credentials.key)")
            try await expectRefusal(client, code: 4003)
            #expect(try await broker.trigger(#"{"name":"n","channel":"c","data":""}"#).status == 403)
        }
    }

    @Test("P12: above its quota an app's clients get 4004; one that leaves makes room")
    func quota() async throws {
        try await TestBroker.run(
            application: TestBroker.application { _, rates, _ in rates.connections = 1 }
        ) { broker in
            let first = try await broker.client()
            let second = try await PusherTestClient.connect(
                port: broker.port, path: "/app/\(TestBroker.credentials.key)")
            try await expectRefusal(second, code: 4004)
            try await first.expectNothingMore()
            try await first.raw.send(clientFrame(0x88, [0x03, 0xE8]))
            #expect(try await first.closeCode() == 1000)
            _ = try await broker.client()
        }
    }

    @Test(
        "P15, P16: an origin outside the list gets 4009; one on it, or none, is accepted",
        arguments: [
            ("Origin: https://evil.example\r\n", false), ("Origin: https://app.example:8443\r\n", true),
            ("", true), ("Origin: null\r\n", false),
        ])
    func origins(header: String, isAccepted: Bool) async throws {
        try await TestBroker.run(
            application: TestBroker.application(allowedOrigins: ["app.example"])
        ) { broker in
            let client = try await PusherTestClient.connect(
                port: broker.port, path: "/app/\(TestBroker.credentials.key)", headers: header)
            if isAccepted {
                #expect(try await client.next().event == "pusher:connection_established")
            } else {
                try await expectRefusal(client, code: 4009)
            }
        }
    }

    @Test(
        "A malformed handshake is refused by HTTP",
        arguments: [
            ("Sec-WebSocket-Version: 8\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n", 426),
            ("Sec-WebSocket-Version: 13\r\n", 400),
            ("Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: short\r\n", 400),
            ("Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nContent-Length: 1\r\n", 400),
        ])
    func malformed(fields: String, status: Int) async throws {
        try await TestBroker.run { broker in
            let raw = try await broker.raw()
            try await raw.send(
                "GET /app/x HTTP/1.1\r\nHost: t\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\(fields)\r\n")
            #expect(try await raw.answer().status == status)
        }
    }

    @Test("Frames sent in one packet with the handshake are heard")
    func earlyFrames() async throws {
        try await TestBroker.run { broker in
            let raw = try await broker.raw()
            let ping = clientFrame(0x81, Array(#"{"event":"pusher:ping"}"#.utf8))
            try await raw.send(Array(upgradeRequest("/app/\(TestBroker.credentials.key)").utf8) + ping)
            let text = try await raw.take("pong") { bytes in
                let text = String(decoding: bytes, as: UTF8.self)
                return text.contains("pusher:pong") ? (text, bytes.count) : nil
            }
            #expect(text.contains("pusher:connection_established"))
        }
    }

    @Test("What follows a refused handshake in the same packet is not carried out")
    func behindARefusal() async throws {
        try await TestBroker.run { broker in
            let subscriber = try await broker.client()
            try await subscriber.subscribe("orders")
            func publish(_ data: String) -> String {
                signedRequest(
                    "POST", "/apps/4711/events", body: #"{"name":"n","channel":"orders","data":"\#(data)"}"#)
            }
            let raw = try await broker.raw()
            // After a request with a body the server reads enough at once to have both.
            try await raw.send(publish("first"))
            #expect(try await raw.answer().status == 200)
            #expect(try await subscriber.next().data == "first")
            try await raw.send(upgradeRequest("/app/nobody") + publish("smuggled"))
            #expect(String(decoding: try await raw.takeAll(), as: UTF8.self).contains("4001"))
            try await broker.trigger(#"{"name":"n","channel":"orders","data":"marker"}"#)
            #expect(try await subscriber.next().data == "marker")
        }
    }

    @Test("P19: a server that shuts down closes with 4200", arguments: [false, true])
    func shutdown(overTLS: Bool) async throws {
        try await TestBroker.run(certificate: overTLS ? TestCertificate() : nil) { broker in
            let client = try await broker.client()
            await broker.shutDown()
            let event = try await client.next()
            #expect(event.event == "pusher:error" && event.data?.contains("4200") == true)
            #expect(try await client.closeCode() == 4200)
            #expect(try await client.raw.takeAll().isEmpty)
            #expect(client.raw.errors.isEmpty)
        }
    }

    @Test("P4: socket ids are distinct")
    func distinctIDs() async throws {
        try await TestBroker.run { broker in
            var ids: Set<String> = []
            for _ in 0..<200 {
                let client = try await broker.client()
                ids.insert(await client.socketID)
                client.raw.cut()
            }
            #expect(ids.count == 200)
        }
    }
}

/// The error event with its code in an object, then a close with the same code and a reason, then the end.
func expectRefusal(
    _ client: PusherTestClient, code: Int, sourceLocation: SourceLocation = #_sourceLocation
) async throws {
    let event = try await client.next()
    #expect(event.event == "pusher:error", sourceLocation: sourceLocation)
    #expect(!event.hasStringData && event.data?.contains("\"code\":\(code)") == true, sourceLocation: sourceLocation)
    guard case .close(let closeCode, let reason) = try await client.nextFrame() else {
        Issue.record("no close frame", sourceLocation: sourceLocation)
        return
    }
    #expect(closeCode == code && !reason.isEmpty, sourceLocation: sourceLocation)
    #expect(try await client.raw.takeAll().isEmpty, sourceLocation: sourceLocation)
    #expect(client.raw.errors.isEmpty, sourceLocation: sourceLocation)
}
