import BrokerCore
import PusherProtocol
import Testing

@Suite("WebSocket bytes")
struct WebSocketTests {
    @Test("P21–P24, P28: pings of both kinds are answered, pongs are not")
    func pings() async throws {
        try await TestBroker.run { broker in
            let client = try await broker.client()
            for data in ["", #","data":{}"#, #","data":"""#] {
                try await client.send(#"{"event":"pusher:ping"\#(data)}"#)
                let pong = try await client.next()
                #expect(pong.event == "pusher:pong" && pong.data == "{}")
            }
            try await client.raw.send(clientFrame(0x89, Array("payload".utf8)))
            #expect(try await client.nextFrame() == .pong("payload"))
            try await client.raw.send(clientFrame(0x8A, Array("unasked".utf8)))
            try await client.send(#"{"event":"pusher:pong","data":{}}"#)
            try await client.expectNothingMore()
        }
    }

    @Test(
        "P30–P33: what is not understood is an error without a code, and the connection stays",
        arguments: [
            "no JSON", "[]", "1", #""text""#, "{}", #"{"event":1}"#, #"{"event":"pusher:foo"}"#,
            #"{"event":"pusher:subscribe"}"#, #"{"event":"pusher:subscribe","data":{}}"#,
            #"{"event":"pusher:subscribe","data":"no JSON"}"#, "{\"event\":\"pusher:ping\"", "",
        ])
    func notUnderstood(message: String) async throws {
        try await TestBroker.run { broker in
            let client = try await broker.client()
            try await client.send(message)
            let error = try await client.next()
            #expect(error.event == "pusher:error" && error.data?.contains("\"code\":null") == true)
            #expect(try await client.subscribe("orders").event == "pusher_internal:subscription_succeeded")
        }
    }

    @Test("P35: the data of a subscribe may be a JSON-encoded string")
    func encodedData() async throws {
        try await TestBroker.run { broker in
            let client = try await broker.client()
            try await client.send(#"{"event":"pusher:subscribe","data":"{\"channel\":\"orders\"}"}"#)
            #expect(try await client.next().channel == "orders")
        }
    }

    @Test(
        "P36 and RFC 6455: a frame that breaks the protocol closes its own connection with the right code, and no other",
        arguments: [
            ([0x81, 0x02, 0x7B, 0x7D], 1002),  // not masked
            (clientFrame(0xC1, [0x7B, 0x7D]), 1002),  // RSV1
            (clientFrame(0x83, []), 1002),  // reserved opcode
            (clientFrame(0x09, []), 1002),  // fragmented ping
            (clientFrame(0x89, Array(repeating: 0, count: 126)), 1002),  // long ping
            (clientFrame(0x80, []), 1002),  // continuation of nothing
            (clientFrame(0x01, [0x7B]) + clientFrame(0x81, [0x7D]), 1002),  // interrupted message
            (clientFrame(0x81, [0xFF]), 1007),
            (clientFrame(0x01, [0xC3]) + clientFrame(0x80, [0x28]), 1007),
            (clientFrame(0x88, [0x03]), 1002),  // half a code
            (clientFrame(0x88, [0x03, 0xED]), 1002),  // 1005 may not travel
            (clientFrame(0x88, [0x03, 0xE8, 0xFF]), 1007),
            (clientFrame(0x81, Array(repeating: 0x20, count: 64 * 1024 + 1)), 1009),
            (clientFrame(0x01, Array(repeating: 0x20, count: 64 * 1024)) + clientFrame(0x80, [0x20]), 1009),
            ([0x81, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0, 0, 0, 0], 1002),
        ] as [([UInt8], Int)])
    func violations(bytes: [UInt8], code: Int) async throws {
        try await TestBroker.run { broker in
            let neighbour = try await broker.client()
            let client = try await broker.client()
            try await client.raw.send(bytes)
            #expect(try await client.closeCode() == code)
            #expect(try await client.raw.takeAll().isEmpty)
            try await neighbour.expectNothingMore()
        }
    }

    @Test("A message in fragments, with a ping between them, byte by byte, is one message")
    func fragments() async throws {
        try await TestBroker.run { broker in
            let client = try await broker.client()
            let bytes =
                clientFrame(0x01, Array(#"{"event":"pusher:subscribe","da"#.utf8)) + clientFrame(0x89, [0x78])
                + clientFrame(0x00, Array(#"ta":{"channel":"#.utf8)) + clientFrame(0x80, Array(#""orders"}}"#.utf8))
            for byte in bytes { try await client.raw.send([byte]) }
            #expect(try await client.nextFrame() == .pong("x"))
            #expect(try await client.next().channel == "orders")
        }
    }

    @Test("A binary message is an error, not the end")
    func binary() async throws {
        try await TestBroker.run { broker in
            let client = try await broker.client()
            try await client.raw.send(clientFrame(0x82, [1, 2, 3]))
            #expect(try await client.next().event == "pusher:error")
            try await client.expectNothingMore()
        }
    }

    @Test("A close is answered with the same code, and the connection ends", arguments: [1000, 1001, 4000])
    func close(code: Int) async throws {
        try await TestBroker.run { broker in
            let client = try await broker.client()
            try await client.raw.send(clientFrame(0x88, [UInt8(code >> 8), UInt8(code & 0xFF)]))
            #expect(try await client.closeCode() == code)
            #expect(try await client.raw.takeAll().isEmpty)
        }
    }

    @Test("A message of the full size arrives, however it is cut")
    func largeMessage() async throws {
        try await TestBroker.run { broker in
            let client = try await broker.client()
            let blanks = String(repeating: " ", count: 64 * 1024 - 24)
            try await client.send(#"{"event":"pusher:ping"\#(blanks)}"#)
            #expect(try await client.next().event == "pusher:pong")
        }
    }
}
