/// The characters inside a JSON string (RFC 8259 section 7).
enum JSONText {
    /// The index of the first byte from `start` on that cannot stand in a string as it is: a quote, a backslash or a
    /// control character; the end when there is none.
    static func firstSpecial(_ bytes: UnsafeRawBufferPointer, from start: Int) -> Int {
        var index = start
        while index &+ 8 <= bytes.count {
            let word = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self))
            let special = self.special(word)
            if special != 0 { return index &+ special.trailingZeroBitCount / 8 }
            index &+= 8
        }
        while index < bytes.count, !self.isSpecial(bytes[index]) { index &+= 1 }
        return index
    }

    private static func isSpecial(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") || byte < 0x20
    }

    /// A word whose lowest bit that is set is in the first special one of eight bytes; 0 when none is.
    ///
    /// A byte minus `n` borrows into its high bit when it is below `n`, unless that bit was set before. A borrow may reach
    /// the bytes above it too, which are after it.
    private static func special(_ word: UInt64) -> UInt64 {
        let ones: UInt64 = 0x0101_0101_0101_0101
        let high = ones &* 0x80
        let quote = word ^ (ones &* 0x22)
        let backslash = word ^ (ones &* 0x5C)
        let control = (word &- ones &* 0x20) & ~word
        return ((quote &- ones) & ~quote | (backslash &- ones) & ~backslash | control) & high
    }
}
