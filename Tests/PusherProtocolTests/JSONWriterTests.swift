import PusherProtocol
import Support
import Testing

@Suite struct JSONWriterTests {
    private func written(_ text: String) -> [UInt8] {
        var writer = JSONWriter()
        writer.string(text)
        return writer.bytes
    }

    @Test(
        "RFC 8259 7: quotes, backslashes and control characters are escaped, nothing else",
        arguments: [
            ("", #""""#), ("a/é€😀\u{7F}", "\"a/é€😀\u{7F}\""), ("\"\\", #""\"\\""#), ("\n\r\t", #""\n\r\t""#),
            ("\u{0}\u{8}\u{B}\u{C}\u{10}\u{1B}\u{1F}", #""\u0000\u0008\u000b\u000c\u0010\u001b\u001f""#),
        ])
    func escapes(_ vector: (text: String, json: String)) {
        #expect(String(decoding: self.written(vector.text), as: UTF8.self) == vector.json)
    }

    @Test("RFC 8259 7: every scalar is read back as it was written, and Foundation reads the same")
    func roundTrip() throws {
        var scalars = (0...0x2FF as ClosedRange<UInt32>).compactMap(Unicode.Scalar.init)
        var random = SeededGenerator(seed: 6)
        scalars += (0..<2000).compactMap { _ in Unicode.Scalar(UInt32.random(in: 0...0x10FFFF, using: &random)) }
        for start in stride(from: 0, to: scalars.count, by: 50) {
            var text = ""
            text.unicodeScalars.append(contentsOf: scalars[start..<min(start + 50, scalars.count)])
            let json = String(decoding: self.written(text), as: UTF8.self)
            try json.withJSONBytes { bytes in
                let value = try JSONReader.value(of: bytes)
                #expect(value.string.map { Array($0.utf8) } == Array(text.utf8))
                #expect(value.decodedCount == text.utf8.count)
            }
            #expect((FoundationJSON.value(json) as? String).map { Array($0.utf8) } == Array(text.utf8))
        }
    }

    @Test("RFC 8259 7: characters are escaped wherever they stand in however long a string")
    func anywhere() {
        var random = SeededGenerator(seed: 7)
        for length in 0..<600 {
            let special = "\"\\\n\u{1}\u{1F}".randomElement(using: &random) ?? "\""
            var text = Array(repeating: Character("é"), count: length / 2) + Array("abcdefgh".prefix(length % 8))
            for _ in 0..<(length / 9) { text.insert(special, at: Int.random(in: 0...text.count, using: &random)) }
            let escaped = text.map { String(decoding: self.written(String($0)).dropFirst().dropLast(), as: UTF8.self) }
            let whole = String(decoding: self.written(String(text)), as: UTF8.self)
            #expect(whole == "\"\(escaped.joined())\"")
        }
    }

    @Test("1.6: JSON written as a string twice is read back twice")
    func doubleEncoding() throws {
        let inner = #"{"a":"\"\\\n","b":[1,"é"]}"#
        var text = inner
        for _ in 0..<2 { text = String(decoding: self.written(text), as: UTF8.self) }
        for _ in 0..<2 { text = try text.withJSONBytes { try JSONReader.value(of: $0).string ?? "" } }
        #expect(text == inner)
    }

    @Test("RFC 8259 6: integers of every width are written in full")
    func integers() {
        var writer = JSONWriter()
        writer.integer(UInt32.max)
        writer.literal(" ")
        writer.integer(Int64.min)
        writer.literal(" ")
        writer.verbatim(Array("[]".utf8))
        #expect(String(decoding: writer.bytes, as: UTF8.self) == "4294967295 -9223372036854775808 []")
    }
}
