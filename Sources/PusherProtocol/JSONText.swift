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

    /// The most bytes that one byte of a string becomes.
    private static let longestEscape = 6

    /// How many bytes of a string can be escaped into `outputSize` bytes, whatever they are.
    static func escapable(into outputSize: Int) -> Int { (outputSize - 8) / self.longestEscape }

    /// Writes what stands for the bytes of a string in JSON, and returns how many bytes that is. Of `bytes` there are at
    /// most as many as are `escapable` into `output`.
    static func escape(_ bytes: UnsafeRawBufferPointer, to output: UnsafeMutableRawBufferPointer) -> Int {
        var index = 0
        var length = 0
        while index < bytes.count {
            var plain = 0
            if index &+ 8 <= bytes.count {
                // All eight are copied; those from the first special one on are overwritten.
                let word = bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self)
                output.storeBytes(of: word, toByteOffset: length, as: UInt64.self)
                let special = self.special(UInt64(littleEndian: word))
                plain = special == 0 ? 8 : special.trailingZeroBitCount / 8
            } else if !self.isSpecial(bytes[index]) {
                output[length] = bytes[index]
                plain = 1
            }
            index &+= plain
            length &+= plain
            guard index < bytes.count, self.isSpecial(bytes[index]) else { continue }
            length &+= self.escape(bytes[index], to: output, at: length)
            index &+= 1
        }
        return length
    }

    /// Writes the escape of a special byte and returns its length.
    private static func escape(_ byte: UInt8, to output: UnsafeMutableRawBufferPointer, at place: Int) -> Int {
        output[place] = UInt8(ascii: "\\")
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"): output[place &+ 1] = byte
        case 0x0A: output[place &+ 1] = UInt8(ascii: "n")
        case 0x0D: output[place &+ 1] = UInt8(ascii: "r")
        case 0x09: output[place &+ 1] = UInt8(ascii: "t")
        default:
            output[place &+ 1] = UInt8(ascii: "u")
            output[place &+ 2] = UInt8(ascii: "0")
            output[place &+ 3] = UInt8(ascii: "0")
            output[place &+ 4] = byte < 0x10 ? UInt8(ascii: "0") : UInt8(ascii: "1")
            output[place &+ 5] = byte & 15 < 10 ? 48 &+ (byte & 15) : 87 &+ (byte & 15)
            return self.longestEscape
        }
        return 2
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
