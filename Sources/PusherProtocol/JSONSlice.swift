import Glibc

/// One JSON value as it stands in its text, byte for byte.
///
/// Borrowed: the bytes belong to whoever called `JSONReader` and are valid as long as theirs are.
package struct JSONSlice {
    package enum Kind: Sendable {
        case object, array, string, number, boolean, null
    }

    package let kind: Kind
    /// The value's text: a string with its quotes and escapes.
    package let bytes: UnsafeRawBufferPointer
    /// For a string, whether it has escapes.
    package let hasEscapes: Bool
    /// For a string, the length of what it says in UTF-8 bytes; else the length of its text.
    package let decodedCount: Int

    /// What a string says; nil when the value is not a string.
    ///
    /// A lone surrogate, which UTF-8 cannot carry, reads as U+FFFD.
    package var string: String? {
        guard self.kind == .string else { return nil }
        return self.hasEscapes ? Self.unescape(self.inside) : String(decoding: self.inside, as: UTF8.self)
    }

    /// What stands between a string's quotes; only without escapes is it what the string says.
    var inside: UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: self.bytes[1..<(self.bytes.count - 1)]) }

    /// Unescapes the inside of a string whose form `JSONReader` has checked.
    private static func unescape(_ bytes: UnsafeRawBufferPointer) -> String {
        var output: [UInt8] = []
        output.reserveCapacity(bytes.count)
        var index = 0
        while index < bytes.count {
            let byte = bytes[index]
            guard byte == UInt8(ascii: "\\"), index + 1 < bytes.count else {
                output.append(byte)
                index += 1
                continue
            }
            index += 2
            switch bytes[index - 1] {
            case UInt8(ascii: "b"): output.append(0x08)
            case UInt8(ascii: "f"): output.append(0x0C)
            case UInt8(ascii: "n"): output.append(0x0A)
            case UInt8(ascii: "r"): output.append(0x0D)
            case UInt8(ascii: "t"): output.append(0x09)
            case UInt8(ascii: "u"):
                let (scalar, length) = JSONEscape.scalar(bytes, at: index - 2)
                output.append(contentsOf: String(scalar).utf8)
                index += length - 2
            case let character: output.append(character)
            }
        }
        return String(decoding: output, as: UTF8.self)
    }
}

/// The name of a member of an object, borrowed as a `JSONSlice` is. Compared with what is expected, it costs no copy.
package struct JSONName: CustomStringConvertible {
    let slice: JSONSlice

    package var description: String { self.slice.string ?? "" }

    package static func == (name: JSONName, text: StaticString) -> Bool {
        let bytes = name.slice.bytes
        guard !name.slice.hasEscapes else { return name.description == "\(text)" }
        guard let start = bytes.baseAddress, bytes.count == text.utf8CodeUnitCount + 2 else { return false }
        return memcmp(start + 1, text.utf8Start, text.utf8CodeUnitCount) == 0
    }

    /// For `switch`.
    package static func ~= (text: StaticString, name: JSONName) -> Bool { name == text }
}

/// `\uXXXX` in JSON strings (RFC 8259 section 7).
enum JSONEscape {
    /// The scalar of the escape, or of the pair of escapes, at `index`, and how many bytes it takes.
    static func scalar(_ bytes: UnsafeRawBufferPointer, at index: Int) -> (scalar: Unicode.Scalar, length: Int) {
        let replacement: Unicode.Scalar = "\u{FFFD}"
        guard let first = self.unit(bytes, at: index) else { return (replacement, 6) }
        if let scalar = Unicode.Scalar(first) { return (scalar, 6) }
        guard first < 0xDC00, let second = self.unit(bytes, at: index + 6), (0xDC00...0xDFFF).contains(second) else {
            return (replacement, 6)
        }
        let value = 0x10000 + (UInt32(first - 0xD800) << 10) + UInt32(second - 0xDC00)
        return (Unicode.Scalar(value) ?? replacement, 12)
    }

    /// The code unit of `\uXXXX` at `index`; nil when there is no such escape.
    private static func unit(_ bytes: UnsafeRawBufferPointer, at index: Int) -> UInt16? {
        guard index + 6 <= bytes.count, bytes[index] == UInt8(ascii: "\\"), bytes[index + 1] == UInt8(ascii: "u")
        else { return nil }
        var value: UInt16 = 0
        for position in (index + 2)..<(index + 6) {
            guard let digit = HexDigit.value(bytes[position]) else { return nil }
            value = value << 4 | UInt16(digit)
        }
        return value
    }
}
