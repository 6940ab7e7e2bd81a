/// 32 bytes of a SHA-256 digest, held inline.
package struct Digest32: Sendable, Equatable, RandomAccessCollection {
    private var words: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)

    init() {}

    mutating func withUnsafeMutableBytes<R>(_ body: (UnsafeMutableRawBufferPointer) -> R) -> R {
        Swift.withUnsafeMutableBytes(of: &self.words, body)
    }

    package var startIndex: Int { 0 }
    package var endIndex: Int { 32 }
    package subscript(index: Int) -> UInt8 {
        precondition(index >= 0 && index < 32, "a digest has 32 bytes")
        return withUnsafeBytes(of: self.words) { $0[index] }
    }

    package static func == (a: Digest32, b: Digest32) -> Bool { a.words == b.words }

    /// The digest in lower-case hexadecimal.
    package var hex: String {
        withUnsafeBytes(of: self.words) { Hex.encode($0) }
    }

    /// Whether `hex` is this digest in lower-case hexadecimal; takes the same time wherever they differ.
    package func matches(hex: String) -> Bool {
        var hex = hex
        return hex.withUTF8 { self.matches(hex: UnsafeRawBufferPointer($0)) }
    }

    package func matches(hex: UnsafeRawBufferPointer) -> Bool {
        withUnsafeBytes(of: self.words) { Hex.matches($0, hex) }
    }
}
