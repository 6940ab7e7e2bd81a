import Testing
import Wire

@Suite struct HTTPResponseHeadTests {
    private func parse(_ text: String) -> HTTPResponseHead? {
        Array(text.utf8).withUnsafeBytes { HTTPResponseHead(parsing: $0) }
    }

    @Test("RFC 9112 4: status and fields of a response")
    func wellFormed() throws {
        let text =
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade:  websocket \r\nX-Empty:\r\nSET-COOKIE: a\r\nSet-Cookie: b\r\n\r\n"
        let head = try #require(self.parse(text))
        #expect(head.status == 101)
        #expect(head["upgrade"] == "websocket")
        #expect(head["X-EMPTY"] == "")
        #expect(head["set-cookie"] == nil, "given twice")
        #expect(head["connection"] == nil)
        #expect(head.fields.map(\.name) == ["Upgrade", "X-Empty", "SET-COOKIE", "Set-Cookie"])
    }

    @Test("RFC 9112 4: the reason may be empty or missing", arguments: ["HTTP/1.1 404 ", "HTTP/1.0 404"])
    func withoutReason(_ line: String) {
        #expect(self.parse("\(line)\r\n\r\n")?.status == 404)
    }

    @Test(
        "RFC 9112 4: what is no response head is none",
        arguments: [
            "", "\r\n", "HTTP/2 200 OK\r\n\r\n", "HTTP/1.2 200 OK\r\n\r\n", "HTTP/1.1 20 OK\r\n\r\n",
            "HTTP/1.1 2000 OK\r\n\r\n", "HTTP/1.1  200 OK\r\n\r\n", "HTTP/1.1 2x0 OK\r\n\r\n", "GET / HTTP/1.1\r\n\r\n",
            "HTTP/1.1 200 OK\nA: b\n\n", "HTTP/1.1 200 OK\r\nno colon\r\n\r\n", "HTTP/1.1 200 OK\r\n folded: x\r\n\r\n",
            "HTTP/1.1 200 OK\r\nA: b\u{0}\r\n\r\n", "HTTP/1.1 200 OK\r\nA: b\r\n",
        ])
    func malformed(_ text: String) {
        #expect(self.parse(text) == nil)
    }

    @Test("RFC 9112 4: the first bytes tell whether a response can come of them")
    func beginnings() {
        func canBegin(_ text: String) -> Bool {
            Array(text.utf8).withUnsafeBytes { HTTPResponseHead.canBegin(with: $0) }
        }
        #expect(canBegin(""))
        #expect(canBegin("HTT"))
        #expect(canBegin("HTTP/1.1 200"))
        #expect(!canBegin("HTTX"))
        #expect(!canBegin("SSH-2.0-x"))
    }
}
