import NIOCore
import PusherClient
import PusherProtocol
import Testing
import Wire

/// Against servers that answer oddly: what is right is understood, what is wrong is told apart.
@Suite struct OddServerTests {
    private static let established =
        #"{"event":"pusher:connection_established","data":"{\"socket_id\":\"1.2\",\"activity_timeout\":120}"}"#

    private func failure(
        _ answer: @escaping @Sendable (String) -> ScriptedServer.Answer
    ) async throws -> PusherClientFailure? {
        try await ScriptedServer.run(answer) { server in
            await #expect(throws: PusherClientFailure.self) { try await PusherClient.connect(to: server.endpoint) }
        }
    }

    @Test("RFC 6455 4.1: the upgrade asks for what is needed, and nothing in the key can break out of it")
    func request() async throws {
        try await ScriptedServer.run({ request in .upgrade(request, frames: [textFrame(request)]) }) { server in
            let key = PusherEndpoint(
                host: "127.0.0.1", port: server.endpoint.port, tls: nil, key: "a b/?\r\n", client: "test", version: "1")
            let failure = await #expect(throws: PusherClientFailure.self) { try await PusherClient.connect(to: key) }
            guard case .notPusher(let request) = failure else {
                Issue.record("\(String(describing: failure))")
                return
            }
            #expect(request.hasPrefix("GET /app/a%20b%2F%3F%0D%0A?protocol=7&client=test&version=1 HTTP/1.1\r\n"))
            #expect(request.contains("\r\nHost: 127.0.0.1:\(key.port)\r\n"))
        }
    }

    @Test("An answer other than 101 is told with its head and the start of its body")
    func refusal() async throws {
        let head = "HTTP/1.1 404 Not Found\r\nServer: x\r\nContent-Length: 9\r\n\r\n"
        #expect(
            try await self.failure { _ in .init(head + "not here.", closes: false) }
                == .upgradeRefused(.init(status: 404, head: head, body: "not here.")))
        let open = "HTTP/1.1 502 Bad Gateway\r\n\r\n"
        let long = String(repeating: "x", count: 5000)
        #expect(
            try await self.failure { _ in .init(open + long) }
                == .upgradeRefused(.init(status: 502, head: open, body: String(repeating: "x", count: 2048))))
        #expect(
            try await self.failure { _ in .init(open + "cut") }
                == .upgradeRefused(.init(status: 502, head: open, body: "cut")))
    }

    @Test(
        "What does not speak HTTP is told with what it said",
        arguments: ["SSH-2.0-x\r\n", "\u{15}\u{3}\u{1}", "HTTP/1.1 x\r\n\r\n"])
    func notHTTP(_ said: String) async throws {
        #expect(try await self.failure { _ in .init(said, closes: false) } == .notHTTP(said))
    }

    @Test(
        "RFC 6455 4.1: a 101 that lacks something is no upgrade",
        arguments: [
            ("sec-websocket-accept: ", "sec-websocket-accept: A", "Sec-WebSocket-Accept does not fit the key"),
            ("upgrade: WebSocket\r\n", "", "Upgrade is not websocket"),
            ("connection: keep-alive, Upgrade", "connection: keep-alive", "Connection is not Upgrade"),
            ("upgrade: W", "sec-websocket-extensions: a\r\nupgrade: W", "an extension that was not asked for"),
            ("upgrade: W", "sec-websocket-protocol: a\r\nupgrade: W", "a subprotocol that was not asked for"),
        ])
    func malformedUpgrade(_ vector: (part: String, replacement: String, fault: String)) async throws {
        let failure = try await self.failure { request in
            let right = String(decoding: ScriptedServer.Answer.upgrade(request, frames: []).bytes, as: UTF8.self)
            let parts = right.split(separator: vector.part, maxSplits: 1, omittingEmptySubsequences: false)
            return .init(parts.joined(separator: vector.replacement))
        }
        #expect(failure == .malformedUpgrade(vector.fault))
    }

    @Test("The end at each stage is told apart")
    func cut() async throws {
        #expect(try await self.failure { _ in .init("") } == .cut(.upgrade, errno: 0))
        #expect(try await self.failure { _ in .init("HTTP/1.1 101") } == .notHTTP("HTTP/1.1 101"))
        #expect(try await self.failure { .upgrade($0, frames: [], closes: true) } == .cut(.establishing, errno: 0))
    }

    @Test("A WebSocket that is not a Pusher server's, or that refuses, is told apart")
    func firstMessage() async throws {
        #expect(try await self.failure { .upgrade($0, frames: [textFrame("hello")]) } == .notPusher("hello"))
        #expect(
            try await self.failure {
                .upgrade($0, frames: [textFrame(#"{"event":"pusher:error","data":{"code":4004,"message":"full"}}"#)])
            } == .error(code: 4004, message: "full"))
        #expect(
            try await self.failure { .upgrade($0, frames: [serverFrame(0x88, [0x0F, 0xA1] + Array("no".utf8))]) }
                == .closed(code: 4001, reason: "no"))
    }

    @Test(
        "RFC 6455: a server that breaks the protocol is left with the code that says how",
        arguments: [
            ([0x81, 0x80, 0, 0, 0, 0], 1002), ([0xC1, 0], 1002), ([0x81, 1, 0xFF], 1007), ([0x80, 0], 1002),
            ([0x82, 127, 0, 0, 0, 1, 0, 0, 0, 0], 1009),
        ] as [([UInt8], UInt16)])
    func violation(_ vector: (frame: [UInt8], code: UInt16)) async throws {
        try await ScriptedServer.run({ .upgrade($0, frames: [textFrame(Self.established), vector.frame]) }) { server in
            let client = try await PusherClient.connect(to: server.endpoint)
            let events = client.events.makeAsyncIterator()
            let failure = await #expect(throws: PusherClientFailure.self) { try await events.next() }
            guard case .violation(let violation) = failure else {
                Issue.record("\(String(describing: failure))")
                return
            }
            #expect(violation.closeCode == vector.code)
            var received: [UInt8] = []
            for await bytes in server.received { received += bytes }
            #expect(Self.unmasked(received) == [0x88, UInt8(vector.code >> 8), UInt8(vector.code & 255)])
        }
    }

    @Test("RFC 6455 5.4, 5.5: fragments are joined, pings within are answered, and so is the Pusher ping")
    func fragments() async throws {
        let event = Array(#"{"event":"a","data":"é"}"#.utf8)
        let frames = [
            textFrame(Self.established), serverFrame(0x01, Array(event[..<21])), serverFrame(0x89, [7]),
            serverFrame(0x80, Array(event[21...])), textFrame(#"{"event":"pusher:ping"}"#),
        ]
        try await ScriptedServer.run({ .upgrade($0, frames: frames) }) { server in
            let client = try await PusherClient.connect(to: server.endpoint)
            let events = client.events.makeAsyncIterator()
            #expect(try await events.next()?.data == "é")
            var received: [UInt8] = []
            for await bytes in server.received {
                received += bytes
                if received.count >= 7 + 6 + ClientFrame.pong.encoded.count { break }
            }
            #expect(Self.unmasked(Array(received[..<7])) == [0x8A, 7])
            #expect(Self.unmasked(Array(received[7...])) == [0x81] + ClientFrame.pong.encoded)
            client.close()
        }
    }

    @Test("A message that is no event ends a client that has a sequence of events")
    func nonsense() async throws {
        try await ScriptedServer.run({
            .upgrade($0, frames: [textFrame(Self.established), textFrame("what")])
        }) { server in
            let client = try await PusherClient.connect(to: server.endpoint)
            let events = client.events.makeAsyncIterator()
            await #expect(throws: PusherClientFailure.notPusher("what")) { try await events.next() }
        }
    }

    @Test("A server that falls silent is pinged, and given up")
    func silence() async throws {
        let established = #"{"event":"pusher:connection_established","data":{"socket_id":"1.2","activity_timeout":1}}"#
        try await ScriptedServer.run({ .upgrade($0, frames: [textFrame(established)]) }) { server in
            let client = try await PusherClient.connect(to: server.endpoint)
            var received: [UInt8] = []
            for await bytes in server.received {
                received += bytes
                if received.count >= 6 + ClientFrame.ping.encoded.count { break }
            }
            #expect(Self.unmasked(received) == [0x81] + ClientFrame.ping.encoded)
            client.close()
        }
    }

    /// The first byte and the payload of one frame of a client, which must be masked and short.
    private static func unmasked(_ frame: [UInt8]) -> [UInt8]? {
        guard frame.count >= 6, frame[1] & 0x80 != 0, Int(frame[1] & 0x7F) == frame.count - 6 else { return nil }
        return [frame[0]] + frame[6...].enumerated().map { $1 ^ frame[2 + $0 % 4] }
    }
}
