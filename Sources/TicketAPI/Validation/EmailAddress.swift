/// The shape of an email address: a dot-atom, `@`, and a host name (RFC 5322 section 3.4.1, without quoted strings,
/// comments and address literals; letters beyond ASCII as in RFC 6532).
enum EmailAddress {
    static func isValid(_ text: String) -> Bool {
        let halves = text.utf8.split(separator: UInt8(ascii: "@"), omittingEmptySubsequences: false)
        guard halves.count == 2, !text.unicodeScalars.contains(where: \.properties.isWhitespace) else { return false }
        return halves[0].count <= 64 && self.isDotted(halves[0], of: self.isAtomText)
            && halves[1].count <= 253 && self.isDotted(halves[1], of: self.isHostText)
            && halves[1].split(separator: UInt8(ascii: ".")).allSatisfy {
                $0.count <= 63 && $0.first != UInt8(ascii: "-") && $0.last != UInt8(ascii: "-")
            }
    }

    /// The form under which an address is unique: its case does not matter.
    static func key(_ text: String) -> String { text.lowercased() }

    private static func isDotted(_ text: Substring.UTF8View, of isPart: (UInt8) -> Bool) -> Bool {
        text.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
            .allSatisfy { !$0.isEmpty && $0.allSatisfy(isPart) }
    }

    private static func isAtomText(_ byte: UInt8) -> Bool {
        self.isHostText(byte) || "!#$%&'*+/=?^_`{|}~".utf8.contains(byte)
    }

    private static func isHostText(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), 0x80...:
            true
        default: false
        }
    }
}
