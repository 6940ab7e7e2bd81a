import Support
import Testing
import Wire

@Suite struct UTF8ValidationTests {
    private func agrees(_ bytes: [UInt8]) -> Bool {
        let expected = String(validating: bytes, as: UTF8.self) != nil
        return bytes.withUnsafeBytes { UTF8Validation.isValid($0) } == expected
    }

    @Test("RFC 3629: every sequence of up to two bytes is judged as the standard library does")
    func shortSequences() {
        #expect(self.agrees([]))
        for first in UInt8.min...UInt8.max {
            #expect(self.agrees([first]))
            let disagreements = (UInt8.min...UInt8.max).filter { !self.agrees([first, $0]) }
            #expect(disagreements.isEmpty, "behind \(first)")
        }
    }

    @Test("RFC 3629: three and four bytes at the borders of every range are judged as the standard library does")
    func borders() {
        let leads: [UInt8] = [
            0x7F, 0xC1, 0xC2, 0xDF, 0xE0, 0xE1, 0xEC, 0xED, 0xEE, 0xEF, 0xF0, 0xF1, 0xF3, 0xF4, 0xF5, 0xFF,
        ]
        let trails: [UInt8] = [0x00, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0, 0xFF]
        for lead in leads {
            for second in trails {
                for third in trails {
                    #expect(self.agrees([lead, second, third]))
                    let disagreements = trails.filter { !self.agrees([lead, second, third, $0]) }
                    #expect(disagreements.isEmpty, "behind \(lead) \(second) \(third)")
                }
            }
        }
    }

    @Test("RFC 3629: one wrong byte anywhere in a long text is found", arguments: [0x80, 0xC3, 0xED, 0xFF] as [UInt8])
    func wrongByteAnywhere(_ wrong: UInt8) {
        let text = Array("0123456789abcdef€😀é0123456789".utf8)
        for index in text.indices {
            var bytes = text
            bytes[index] = wrong
            #expect(self.agrees(bytes), "at \(index)")
            #expect(self.agrees(Array(text[..<index])), "cut at \(index)")
        }
    }

    @Test("RFC 3629: random bytes are judged as the standard library does")
    func randomBytes() {
        var random = SeededGenerator(seed: 2)
        for _ in 0..<20_000 {
            var bytes: [UInt8] = []
            for _ in 0..<Int.random(in: 0...6, using: &random) {
                switch Int.random(in: 0..<4, using: &random) {
                case 0: bytes += Array(repeating: UInt8(ascii: "a"), count: Int.random(in: 0...9, using: &random))
                case 1: bytes.append(.random(in: 0...255, using: &random))
                default:
                    let scalar = Unicode.Scalar(UInt32.random(in: 0...0x10FFFF, using: &random)) ?? "a"
                    bytes += Array(String(scalar).utf8)
                }
            }
            #expect(self.agrees(bytes), "\(bytes)")
        }
    }
}
