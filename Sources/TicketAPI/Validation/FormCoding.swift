/// `application/x-www-form-urlencoded`, in bodies and in query strings.
enum FormCoding {
    /// The decoded pairs in order. A pair without `=` has an empty value; bytes that are not UTF-8 become U+FFFD.
    static func pairs(_ text: String) -> [(name: String, value: String)] {
        text.utf8.split(separator: UInt8(ascii: "&")).map { pair in
            let halves = pair.split(separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
            return (self.decode(halves[0]), halves.count > 1 ? self.decode(halves[1]) : "")
        }
    }

    /// The text with everything but letters, digits and `-._~` percent-encoded.
    static func encode(_ text: String) -> String {
        var bytes: [UInt8] = []
        let digits = Array("0123456789ABCDEF".utf8)
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
                UInt8(ascii: "~"):
                bytes.append(byte)
            default:
                bytes += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func decode(_ text: some Sequence<UInt8>) -> String {
        var bytes: [UInt8] = []
        // The characters of an escape that is not complete yet; put back as they are when it turns out not to be one.
        var escape: [UInt8] = []
        for byte in text {
            if escape.isEmpty {
                switch byte {
                case UInt8(ascii: "%"): escape = [byte]
                case UInt8(ascii: "+"): bytes.append(UInt8(ascii: " "))
                default: bytes.append(byte)
                }
                continue
            }
            escape.append(byte)
            if self.hexValue(byte) == nil {
                bytes += escape
                escape = []
            } else if escape.count == 3, let high = self.hexValue(escape[1]), let low = self.hexValue(escape[2]) {
                bytes.append(high << 4 | low)
                escape = []
            }
        }
        return String(decoding: bytes + escape, as: UTF8.self)
    }

    private static func hexValue(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}
