import Digests
import Testing

@Suite struct ConstantTimeTests {
    @Test("8.3: a digest matches its own lower-case digits and nothing else")
    func matchesHex() {
        let digest = SHA256.digest("abc")
        let hex = digest.hex
        #expect(digest.matches(hex: hex))
        for index in hex.indices {
            var changed = hex
            changed.replaceSubrange(index...index, with: hex[index] == "0" ? "1" : "0")
            #expect(!digest.matches(hex: changed))
        }
        for other in ["", hex.uppercased(), String(hex.dropLast()), hex + "0", hex + hex, String(hex.reversed())] {
            #expect(!digest.matches(hex: other))
        }
    }

    @Test("8.3: bytes are equal when all of them are")
    func equal() {
        #expect(constantTimeEqual([], []))
        #expect(constantTimeEqual([1, 2, 3], [1, 2, 3]))
        #expect(!constantTimeEqual([1, 2, 3], [1, 2, 4]))
        #expect(!constantTimeEqual([0, 2, 3], [1, 2, 3]))
        #expect(!constantTimeEqual([1, 2], [1, 2, 3]))
        #expect(constantTimeEqual("abc".utf8, Array("abc".utf8)))
    }

    @Test("Random bytes differ, and random text is of its alphabet and length")
    func random() throws {
        #expect(try RandomBytes.make(16) != RandomBytes.make(16))
        #expect(try RandomBytes.make(0).isEmpty)
        let text = try RandomBytes.alphanumeric(1000)
        #expect(text.utf8.count == 1000)
        #expect(text.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber) })
        // Each of the 62 is missing from 1000 with a chance of one in ten million.
        #expect(Set(text).count == 62)
    }
}
