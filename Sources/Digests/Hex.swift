/// Lower-case hexadecimal.
package enum Hex {
    /// The character of a value below 16, computed without a table so that its time does not depend on the value.
    static func digit(_ value: UInt8) -> UInt8 {
        // '0' + value, and 39 more ('a' - '0' - 10) from ten on: (9 - value) >> 8 is all ones then.
        let isLetter = UInt8(truncatingIfNeeded: (9 &- Int16(value)) >> 8)
        return 48 &+ value &+ (39 & isLetter)
    }

    package static func encode(_ bytes: UnsafeRawBufferPointer) -> String {
        String(unsafeUninitializedCapacity: bytes.count * 2) { output in
            for (index, byte) in bytes.enumerated() {
                output[index * 2] = digit(byte >> 4)
                output[index * 2 + 1] = digit(byte & 15)
            }
            return bytes.count * 2
        }
    }

    /// Whether `text` is these bytes in lower-case hexadecimal; takes the same time wherever they differ.
    static func matches(_ bytes: UnsafeRawBufferPointer, _ text: UnsafeRawBufferPointer) -> Bool {
        guard text.count == 2 * bytes.count else { return false }
        var difference: UInt8 = 0
        for index in 0..<bytes.count {
            let byte = bytes[index]
            difference |= self.digit(byte >> 4) ^ text[2 * index]
            difference |= self.digit(byte & 15) ^ text[2 * index + 1]
        }
        return difference == 0
    }

    package static func encode(_ bytes: [UInt8]) -> String {
        bytes.withUnsafeBytes { self.encode($0) }
    }
}
