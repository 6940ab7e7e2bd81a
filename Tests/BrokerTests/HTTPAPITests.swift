import Broker
import PusherProtocol
import Testing

@Suite("HTTP API")
struct HTTPAPITests {
    private static let event = #"{"name":"n","channel":"c","data":"d"}"#

    @Test("Requests are answered in order on one connection; /up and errors keep it alive")
    func pipelining() async throws {
        try await TestBroker.run { broker in
            let http = try await broker.raw()
            try await http.send(
                "GET /up HTTP/1.1\r\nHost: t\r\n\r\nGET /nothing HTTP/1.1\r\nHost: t\r\n\r\n"
                    + "HEAD /up HTTP/1.1\r\nHost: t\r\n\r\n" + signedRequest("GET", "/apps/4711/channels")
                    + "GET /up HTTP/1.0\r\n\r\n")
            #expect(try await http.answer().status == 200)
            #expect(try await http.answer().status == 404)
            #expect(try await http.answer(withBody: false).fields["content-length"] == "15")
            #expect(try await http.answer().body == #"{"channels":{}}"#)
            #expect(try await http.answer().fields["connection"] == "close")
            #expect(try await http.takeAll().isEmpty)
        }
    }

    @Test(
        "Requests that two parsers could read in two ways are refused, and the connection ends",
        arguments: [
            ("POST /up HTTP/1.1\r\nHost: t\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
            ("GET /up HTTP/1.1\r\nHost: t\r\nX: a\r\n b\r\n\r\n", 400),
            ("GET /up HTTP/1.1\r\nHost: t\r\nX : a\r\n\r\n", 400),
            ("GET /up HTTP/1.1\r\nHost: t\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n", 400),
            ("GET /up HTTP/1.1\r\nHost: t\r\nContent-Length: +1\r\n\r\n", 400),
            ("GET /up HTTP/1.1\r\nHost: t\r\nX: a\u{0}b\r\n\r\n", 400),
            ("GET /up HTTP/1.1\r\n\r\n", 400),
            ("GET /up HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400),
            ("GET  /up HTTP/1.1\r\nHost: t\r\n\r\n", 400),
            ("GET /up HTTP/2.0\r\nHost: t\r\n\r\n", 505),
            ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
            ("\u{16}\u{3}\u{1}\r\n\r\n", 400),
            ("GET /up HTTP/1.1\r\nHost: t\r\nX: \(String(repeating: "a", count: 17_000))\r\n\r\n", 431),
            ("GET /up HTTP/1.1\r\nHost: t\r\n\(String(repeating: "X: a\r\n", count: 101))\r\n", 431),
            ("POST /up HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", 501),
        ])
    func ambiguous(request: String, status: Int) async throws {
        try await TestBroker.run { broker in
            let http = try await broker.raw()
            try await http.send(request + "GET /up HTTP/1.1\r\nHost: t\r\n\r\n")
            let answer = try await http.answer()
            #expect(answer.status == status && answer.fields["connection"] == "close")
            #expect(try await http.takeAll().isEmpty)
        }
    }

    @Test("A chunked body, in any pieces, is the body; one over the limit is 413 before it is read")
    func chunked() async throws {
        // Sent byte by byte, the request takes longer than a client may on a busy machine.
        try await TestBroker.run(configure: { $0.timeouts.requestHead = .seconds(120) }) { broker in
            let client = try await broker.client()
            try await client.subscribe("c")
            let http = try await broker.raw()
            let head =
                signedRequest("POST", "/apps/4711/events", body: Self.event)
                .split(separator: "Content-Length")[0] + "Transfer-Encoding: chunked\r\n\r\n"
            let half = Self.event.utf8.count / 2
            let (a, b) = (Self.event.prefix(half), Self.event.dropFirst(half))
            let chunks =
                "\(String(a.utf8.count, radix: 16));x=y\r\n\(a)\r\n\(String(b.utf8.count, radix: 16))\r\n\(b)\r\n0\r\nT: x\r\n\r\n"
            for byte in (head + chunks).utf8 { try await http.send([byte]) }
            #expect(try await http.answer().status == 200)
            #expect(try await client.next().data == "d")
            try await http.send(head + "fffffff\r\n")
            #expect(try await http.answer().status == 413)
        }
    }

    @Test("A body that is announced too large is 413 at once; Expect: 100-continue is answered before the body")
    func announcedBodies() async throws {
        try await TestBroker.run { broker in
            let large = try await broker.raw()
            let request = signedRequest("POST", "/apps/4711/events", body: Self.event)
            let length = "Content-Length: \(Self.event.utf8.count)"
            try await large.send(
                request.replacing(length, with: "Content-Length: 2000000").replacing(Self.event, with: ""))
            #expect(try await large.answer().status == 413)
            let patient = try await broker.raw()
            try await patient.send(
                request.replacing(length, with: "Expect: 100-continue\r\n\(length)").replacing(Self.event, with: ""))
            #expect(try await patient.answer().status == 100)
            try await patient.send(Self.event)
            #expect(try await patient.answer().status == 200)
        }
    }

    @Test("While a loop is behind with deliveries, events are refused, and what was accepted is delivered")
    func overload() async throws {
        try await TestBroker.run(loops: 1, configure: { $0.maxInboxBytes = 1 }) { broker in
            let client = try await broker.client()
            try await client.subscribe("private-ops")
            let http = try await broker.raw()
            func publish(_ data: String) -> String {
                signedRequest(
                    "POST", "/apps/4711/events", body: #"{"name":"n","channel":"private-ops","data":"\#(data)"}"#)
            }
            // After the first body the server reads enough at once to have both requests before it delivers.
            try await http.send(publish("first"))
            #expect(try await http.answer().status == 200)
            #expect(try await client.next().data == "first")
            try await http.send(publish("second") + publish("third"))
            #expect(try await http.answer().status == 200)
            let refused = try await http.answer()
            #expect(refused.status == 503 && refused.fields["retry-after"] == "1")
            #expect(try await client.next().data == "second")

            let other = try await broker.client()
            try await other.subscribe("private-ops")
            try await client.raw.send(
                (0..<2).flatMap {
                    clientFrame(0x81, Array(#"{"event":"client-a","channel":"private-ops","data":\#($0)}"#.utf8))
                })
            #expect(try await client.next().data?.contains("4301") == true)
            #expect(try await other.next().data == "0")
            try await http.send(publish("marker"))
            #expect(try await http.answer().status == 200)
            #expect(try await other.next().data == "marker")
        }
    }

    @Test("An upgrade that is not to a WebSocket is passed over, and a WebSocket path without one is 426")
    func otherUpgrades() async throws {
        try await TestBroker.run { broker in
            let http = try await broker.raw()
            try await http.send(
                "GET /up HTTP/1.1\r\nHost: t\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: x\r\n\r\n"
            )
            #expect(try await http.answer().status == 200)
            try await http.send("GET /app/x HTTP/1.1\r\nHost: t\r\n\r\n")
            #expect(try await http.answer().status == 426)
            try await http.send(upgradeRequest("/nothing"))
            #expect(try await http.answer().status == 404)
        }
    }
}
