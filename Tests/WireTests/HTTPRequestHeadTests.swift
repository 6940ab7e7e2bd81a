import Support
import Testing
import Wire

/// `protocol-spec/vectors/http-heads.json`.
struct HeadVectors: Decodable {
    struct Accepted: Decodable, CustomTestStringConvertible {
        let rule: String
        let head: String
        let method: String
        let path: String
        let query: String
        /// Nil for a chunked body.
        let length: Int?
        let keepsAlive: Bool
        let expectsContinue: Bool
        let origin: String?
        let upgrade: Bool
        let webSocketKey: String?
        let webSocketVersion: String?

        var testDescription: String { "\(self.rule): \(self.head.debugDescription)" }
    }

    struct Refused: Decodable, CustomTestStringConvertible {
        let rule: String
        let head: String
        let status: Int

        var testDescription: String { "\(self.rule): \(self.head.debugDescription)" }
    }

    let accepted: [Accepted]
    let refused: [Refused]

    static func load() throws -> HeadVectors { try Vectors.load("http-heads") }

    static func parse(_ text: String) throws -> HTTPRequestHead {
        try Array(text.utf8).withUnsafeBytes { try HTTPRequestHead(parsing: $0) }
    }
}

@Suite struct HTTPRequestHeadTests {
    /// Feeds a head in pieces, as a connection does, and returns its length; nil when it never ended.
    private func length(of pieces: [ArraySlice<UInt8>]) throws -> Int? {
        var received: [UInt8] = []
        var searched = 0
        for piece in pieces {
            received += piece
            if let length = try received.withUnsafeBytes({ try HTTPRequestHead.length(in: $0, searched: searched) }) {
                return length
            }
            searched = received.count
        }
        return nil
    }

    private func length(of text: String) throws -> Int? {
        try self.length(of: [Array(text.utf8)[...]])
    }

    @Test(
        "House style 6: a TLS handshake is refused at its first byte, whatever comes with it",
        arguments: ["\u{16}", "\u{16} / HTTP/1.1\r\nHost: a\r\n\r\n"])
    func tls(_ text: String) {
        let failure = #expect(throws: HTTPRequestFailure.self) { try self.length(of: text) }
        #expect(failure == HTTPRequestFailure(status: 400, message: "This port speaks HTTP, not TLS"))
    }

    @Test("RFC 9112: a well-formed head is read as it was meant", arguments: try HeadVectors.load().accepted)
    func accepts(_ vector: HeadVectors.Accepted) throws {
        let head = try HeadVectors.parse(vector.head)
        #expect(head.method == vector.method)
        #expect(head.path == vector.path)
        #expect(head.query == vector.query)
        #expect(head.body == vector.length.map { .length($0) } ?? .chunked)
        #expect(head.keepsAlive == vector.keepsAlive)
        #expect(head.expectsContinue == vector.expectsContinue)
        #expect(head.origin == vector.origin)
        #expect((head.webSocket != nil) == vector.upgrade)
        #expect(head.webSocket?.key == vector.webSocketKey)
        #expect(head.webSocket?.version == vector.webSocketVersion)
        #expect(try self.length(of: vector.head + "GET") == vector.head.utf8.count)
    }

    @Test("RFC 9112: what two parsers could read in two ways is refused", arguments: try HeadVectors.load().refused)
    func refuses(_ vector: HeadVectors.Refused) {
        let failure = #expect(throws: HTTPRequestFailure.self) { try HeadVectors.parse(vector.head) }
        #expect(failure?.status == vector.status)
    }

    @Test(
        "RFC 9112 2.2: the end of a head is found wherever the bytes are cut",
        arguments: try HeadVectors.load().accepted)
    func findsEndInPieces(_ vector: HeadVectors.Accepted) throws {
        let bytes = Array(vector.head.utf8)
        for cut in 0...bytes.count {
            #expect(try self.length(of: [bytes[..<cut], bytes[cut...]]) == bytes.count, "cut at \(cut)")
        }
        #expect(try self.length(of: bytes.map { [$0] }) == bytes.count)
    }

    @Test("RFC 9112 2.2: the end of a head is the first empty line, however carriage returns and line feeds lie")
    func findsEndAmongMarks() throws {
        var random = SeededGenerator(seed: 1)
        for _ in 0..<2000 {
            let marks: [UInt8] = [0x0D, 0x0A, 0x0D, 0x0A, 0x61]
            let bytes = (0..<24).map { _ in marks.randomElement(using: &random) ?? 0 }
            let expected = (4...24).first { bytes[..<$0].suffix(4) == [0x0D, 0x0A, 0x0D, 0x0A] }
            #expect(try self.length(of: [bytes[...]]) == expected, "\(bytes)")
            #expect(try self.length(of: bytes.map { [$0] }) == expected, "\(bytes)")
        }
    }

    @Test("RFC 6585 5: a head of 16 KiB is accepted, a longer one is refused with 431")
    func boundsLength() throws {
        let frame = "GET / HTTP/1.1\r\nHost: a\r\nX: \r\n\r\n"
        let room = HTTPRequestHead.maxBytes - frame.utf8.count
        func head(_ count: Int) -> String {
            "GET / HTTP/1.1\r\nHost: a\r\nX: \(String(repeating: "x", count: count))\r\n\r\n"
        }
        #expect(try self.length(of: head(room)) == HTTPRequestHead.maxBytes)
        #expect(try HeadVectors.parse(head(room)).method == "GET")
        for text in [head(room + 1), head(room + 1000), String(repeating: "a", count: HTTPRequestHead.maxBytes)] {
            let whole = #expect(throws: HTTPRequestFailure.self) { try self.length(of: text) }
            #expect(whole?.status == 431)
            let bytes = Array(text.utf8)
            let pieces = #expect(throws: HTTPRequestFailure.self) {
                try self.length(of: [bytes[..<(bytes.count - 3)], bytes[(bytes.count - 3)...]])
            }
            #expect(pieces?.status == 431)
        }
    }

    @Test("RFC 6585 5: an endless head is refused at 16 KiB and not later")
    func refusesEndlessHead() throws {
        let bytes = [UInt8](repeating: UInt8(ascii: "a"), count: HTTPRequestHead.maxBytes)
        #expect(try self.length(of: [bytes[..<(bytes.count - 1)]]) == nil)
        #expect(throws: HTTPRequestFailure.self) { try self.length(of: [bytes[...]]) }
    }

    @Test("RFC 6585 5: 100 header fields are accepted, 101 are refused with 431")
    func boundsFields() throws {
        func head(fields: Int) -> String {
            "GET / HTTP/1.1\r\nHost: a\r\n" + String(repeating: "X: y\r\n", count: fields - 1) + "\r\n"
        }
        #expect(try HeadVectors.parse(head(fields: 100)).path == "/")
        let failure = #expect(throws: HTTPRequestFailure.self) { try HeadVectors.parse(head(fields: 101)) }
        #expect(failure?.status == 431)
    }

    @Test("RFC 9112 2.2: no prefix of a head is taken for a whole one", arguments: try HeadVectors.load().accepted)
    func refusesPrefixes(_ vector: HeadVectors.Accepted) throws {
        let bytes = Array(vector.head.utf8)
        for count in 0..<bytes.count {
            #expect(try self.length(of: [bytes[..<count]]) == nil)
            #expect(throws: HTTPRequestFailure.self) {
                try Array(bytes[..<count]).withUnsafeBytes { try HTTPRequestHead(parsing: $0) }
            }
        }
    }

    @Test("RFC 9110 5.3: forwarded fields of one name are one list, in their order; absent ones are none")
    func forwarded() throws {
        let head = try HeadVectors.parse(
            "GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 192.0.2.1\r\nx-forwarded-for:  ::1, b \r\n"
                + "X-FORWARDED-PROTO: https\r\nX-Forwarded-Fox: c\r\n\r\n")
        #expect(head.forwardedFor == "192.0.2.1,::1, b")
        #expect(head.forwardedProto == "https")
        let plain = try HeadVectors.parse("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(plain.forwardedFor == nil && plain.forwardedProto == nil)
    }
}
