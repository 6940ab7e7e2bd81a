import PusherProtocol
import Support
import Testing

/// `protocol-spec/vectors/json.json`.
private struct JSONVectors: Decodable {
    struct Text: Decodable, CustomTestStringConvertible {
        let text: String
        let kind: String?
        let why: String?

        var testDescription: String { self.text.debugDescription }
    }

    let accepted: [Text]
    let refused: [Text]
    let acceptedButNotByFoundation: [Text]
    let refusedButNotByFoundation: [Text]

    static func load() throws -> JSONVectors { try Vectors.load("json") }
}

/// Makes JSON texts, and breaks them.
private struct JSONGenerator {
    var random: SeededGenerator

    mutating func pick<Element>(_ elements: [Element], or other: Element) -> Element {
        elements.randomElement(using: &self.random) ?? other
    }

    mutating func blanks() -> String { self.pick(["", "", "", " ", "\n", "\t\r ", "  "], or: "") }

    mutating func string() -> String {
        let pieces = [
            "a", "client-", "e5", "u0041", "é", "€", "😀", "\u{7F}", "\\\"", "\\\\", "\\/", "\\b", "\\f", "\\n", "\\r",
            "\\t", "\\u0041", "\\u00e9", "\\u20AC", "\\ud83d\\ude00", "\\uDBFF\\uDFFF", "\\u0000", "\\ufffd", "{", "]",
            ",",
        ]
        return "\"" + (0..<Int.random(in: 0...6, using: &self.random)).map { _ in self.pick(pieces, or: "a") }.joined()
            + "\""
    }

    mutating func number() -> String {
        let whole = self.pick(["0", "1", "9", "10", "4294967296", "1234567890123456789012"], or: "0")
        let fraction = self.pick(["", "", ".0", ".5", ".0625"], or: "")
        return self.pick(["", "-"], or: "") + whole + fraction + self.pick(["", "", "e0", "E+2", "e-7"], or: "")
    }

    mutating func value(depth: Int) -> String {
        switch Int.random(in: 0..<(depth > 0 ? 8 : 5), using: &self.random) {
        case 0: return self.pick(["null", "true", "false"], or: "null")
        case 1: return self.number()
        case 2, 3, 4: return self.string()
        case 5, 6:
            let members = (0..<Int.random(in: 0...4, using: &self.random)).map { index in
                // The number keeps names distinct.
                let name = self.string().dropLast() + "\(index)\""
                return self.blanks() + name + self.blanks() + ":" + self.blanks() + self.value(depth: depth - 1)
                    + self.blanks()
            }
            return "{" + (members.isEmpty ? self.blanks() : members.joined(separator: ",")) + "}"
        default:
            let elements = (0..<Int.random(in: 0...4, using: &self.random)).map { _ in
                self.blanks() + self.value(depth: depth - 1) + self.blanks()
            }
            return "[" + (elements.isEmpty ? self.blanks() : elements.joined(separator: ",")) + "]"
        }
    }

    mutating func document() -> String { self.blanks() + self.value(depth: 4) + self.blanks() }

    /// A few bytes of the text removed, replaced, repeated or put in; nil when that is not UTF-8.
    mutating func mutated(_ text: String) -> String? {
        let marks = Array("{}[]:,\"\\ \t\n01e.-+truefalsn/bu'x\u{1}".utf8)
        var bytes = Array(text.utf8)
        for _ in 0..<Int.random(in: 1...3, using: &self.random) {
            let index = Int.random(in: 0...bytes.count, using: &self.random)
            switch Int.random(in: 0..<4, using: &self.random) {
            case 0: if index < bytes.count { bytes.remove(at: index) }
            case 1: if index < bytes.count { bytes[index] = self.pick(marks, or: 0) }
            case 2: bytes.insert(self.pick(marks, or: 0), at: index)
            default:
                let part = bytes[index...].prefix(Int.random(in: 1...5, using: &self.random))
                bytes.insert(contentsOf: Array(part), at: Int.random(in: 0...bytes.count, using: &self.random))
            }
        }
        return String(validating: bytes, as: UTF8.self)
    }
}

@Suite struct JSONReaderTests {
    private func accepts(_ text: String) -> Bool {
        // The failure says nothing but that there is one.
        (try? text.withJSONBytes { try JSONReader.value(of: $0).kind }) != nil
    }

    @Test("RFC 8259: well-formed text is accepted, and Foundation agrees", arguments: try JSONVectors.load().accepted)
    private func acceptsVectors(_ vector: JSONVectors.Text) throws {
        let kind = try vector.text.withJSONBytes { "\(try JSONReader.value(of: $0).kind)" }
        #expect(kind == vector.kind)
        #expect(FoundationJSON.accepts(vector.text, asIs: true))
    }

    @Test("RFC 8259: everything else is refused, and Foundation agrees", arguments: try JSONVectors.load().refused)
    private func refusesVectors(_ vector: JSONVectors.Text) {
        #expect(!self.accepts(vector.text))
        #expect(!FoundationJSON.accepts(vector.text, asIs: true))
    }

    @Test(
        "RFC 8259: what only Foundation refuses is in the grammar, and is accepted",
        arguments: try JSONVectors.load().acceptedButNotByFoundation)
    private func acceptsMoreThanFoundation(_ vector: JSONVectors.Text) {
        #expect(self.accepts(vector.text))
        #expect(!FoundationJSON.accepts(vector.text, asIs: true))
        #expect(FoundationJSON.accepts(vector.text))
    }

    @Test(
        "RFC 8259: what only Foundation accepts is not in the grammar, and is refused",
        arguments: try JSONVectors.load().refusedButNotByFoundation)
    private func acceptsLessThanFoundation(_ vector: JSONVectors.Text) {
        #expect(!self.accepts(vector.text))
        #expect(FoundationJSON.accepts(vector.text, asIs: true))
        #expect(!FoundationJSON.accepts(vector.text))
    }

    @Test("RFC 8259: random documents say the same to Foundation", arguments: 0..<20 as Range<UInt64>)
    func randomDocuments(_ seed: UInt64) throws {
        var generator = JSONGenerator(random: SeededGenerator(seed: seed))
        for _ in 0..<50 {
            let text = generator.document()
            let value = try #require(FoundationJSON.value(text), "\(text.debugDescription)")
            let agrees = try text.withJSONBytes { try FoundationJSON.agrees(try JSONReader.value(of: $0), value) }
            #expect(agrees, "\(text.debugDescription)")
        }
    }

    @Test("RFC 8259: random damage is judged as Foundation judges it", arguments: 0..<20 as Range<UInt64>)
    func randomDamage(_ seed: UInt64) {
        var generator = JSONGenerator(random: SeededGenerator(seed: 1000 + seed))
        for _ in 0..<250 {
            guard let text = generator.mutated(generator.document()) else { continue }
            #expect(self.accepts(text) == FoundationJSON.accepts(text), "\(text.debugDescription)")
        }
    }

    @Test(
        "RFC 8259 9: 64 levels are accepted, 65 are refused",
        arguments: [("[", "]"), ("{\"a\":", "}"), ("[{\"a\":", "}]"), ("{\"a\":[", "]}")])
    func depth(_ level: (open: String, close: String)) {
        let levels = level.close.utf8.count
        func nested(_ depth: Int) -> String {
            String(repeating: level.open, count: depth / levels) + "1"
                + String(repeating: level.close, count: depth / levels)
        }
        #expect(self.accepts(nested(64)))
        #expect(!self.accepts("[\(nested(64))]"))
        #expect(!self.accepts(String(repeating: level.open, count: 100_000)))
    }

    @Test("RFC 8259 9: entering an object or an array does not allow a level more")
    func depthWhenEntered() {
        func members(_ depth: Int) -> Bool {
            let text =
                "{\"a\":" + String(repeating: "[", count: depth - 1) + String(repeating: "]", count: depth - 1) + "}"
            return (try? text.withJSONBytes { try JSONReader.members(of: $0) { _, _ in } }) != nil
        }
        func elements(_ depth: Int) -> Bool {
            let text = String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
            return (try? text.withJSONBytes { try JSONReader.elements(of: $0) { _ in } }) != nil
        }
        #expect(members(64) && !members(65))
        #expect(elements(64) && !elements(65))
    }

    @Test(
        "RFC 8259 7: a string says what its escapes say, and its length is that of what it says",
        arguments: [
            (#""""#, ""), (#""abc""#, "abc"), (#""\"\\\/\b\f\n\r\t""#, "\"\\/\u{8}\u{C}\n\r\t"),
            (#""\u0041\u00e9\u20AC""#, "Aé€"),
            (#""\ud83d\ude00""#, "😀"), (#""\uD83D\uDE00x""#, "😀x"), (#""é€😀""#, "é€😀"), (#""\u0000""#, "\0"),
            // A lone surrogate reads as U+FFFD, and eats nothing of what follows.
            (#""\ud800""#, "\u{FFFD}"), (#""\udc00""#, "\u{FFFD}"), (#""\ud800\u0041""#, "\u{FFFD}A"),
            (#""\ud800x""#, "\u{FFFD}x"), (#""\ud800\n""#, "\u{FFFD}\n"), (#""\ude00\ud83d""#, "\u{FFFD}\u{FFFD}"),
            (#""\ud800\ud83d\ude00""#, "\u{FFFD}😀"), (#""\ud800\\udc00""#, "\u{FFFD}\\udc00"),
        ])
    func unescapes(_ vector: (text: String, says: String)) throws {
        try vector.text.withJSONBytes { bytes in
            let value = try JSONReader.value(of: bytes)
            #expect(value.string.map { Array($0.utf8) } == Array(vector.says.utf8))
            #expect(value.decodedCount == vector.says.utf8.count)
            #expect(value.hasEscapes == vector.text.contains("\\"))
            #expect(value.bytes.elementsEqual(vector.text.utf8))
        }
    }

    @Test("RFC 8259 4: members are reported in order, repeated names too, as they stand in the text")
    func members() throws {
        var members: [String] = []
        try #" { "a" : 1 , "\u0061" :{ "b" : [ ] }, "" : "\n" } "#.withJSONBytes { bytes in
            try JSONReader.members(of: bytes) { name, value in
                members.append("\(name)=\(String(decoding: value.bytes, as: UTF8.self))")
            }
        }
        #expect(members == ["a=1", #"a={ "b" : [ ] }"#, #"="\n""#])
    }

    @Test(
        "RFC 8259: only an object has members, and only an array has elements",
        arguments: ["1", "null", "\"a\"", "", "{}x", "[]x"])
    func wrongKinds(_ text: String) {
        #expect(throws: JSONFailure.self) { try text.withJSONBytes { try JSONReader.members(of: $0) { _, _ in } } }
        #expect(throws: JSONFailure.self) { try text.withJSONBytes { try JSONReader.elements(of: $0) { _ in } } }
    }
}

extension String {
    /// Lends the text to a reader.
    func withJSONBytes<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result {
        try Array(self.utf8).withUnsafeBytes(body)
    }
}
