/// Appends JSON to bytes. The caller keeps the grammar; the writer keeps the escapes.
package struct JSONWriter {
    package private(set) var bytes: [UInt8] = []

    package init(reserving capacity: Int = 0) {
        self.bytes.reserveCapacity(capacity)
    }

    /// Punctuation, names and anything else that is JSON already.
    package mutating func literal(_ text: StaticString) {
        self.bytes.append(contentsOf: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    /// JSON text, taken over byte for byte.
    package mutating func verbatim(_ json: UnsafeRawBufferPointer) {
        self.bytes.append(contentsOf: json)
    }

    package mutating func verbatim(_ json: [UInt8]) {
        self.bytes.append(contentsOf: json)
    }

    package mutating func integer(_ value: some BinaryInteger) {
        self.bytes.append(contentsOf: String(value).utf8)
    }

    /// A string, quoted and escaped.
    package mutating func string(_ text: String) {
        var text = text
        text.withUTF8 { self.string(UnsafeRawBufferPointer($0)) }
    }

    /// A string given as UTF-8, quoted and escaped: also how JSON text becomes the content of a JSON string.
    package mutating func string(_ utf8: UnsafeRawBufferPointer) {
        // In pieces on the stack, which has room for a thousand bytes: single ones are appended dearly.
        withUnsafeTemporaryAllocation(byteCount: 1024, alignment: 8) { piece in
            let size = JSONText.escapable(into: piece.count - 2)
            piece[0] = UInt8(ascii: "\"")
            var (index, filled) = (0, 1)
            while true {
                let end = min(index + size, utf8.count)
                filled += JSONText.escape(
                    UnsafeRawBufferPointer(rebasing: utf8[index..<end]),
                    to: UnsafeMutableRawBufferPointer(rebasing: piece[filled...]))
                index = end
                if index == utf8.count { break }
                self.bytes.append(contentsOf: UnsafeRawBufferPointer(rebasing: piece[..<filled]))
                filled = 0
            }
            piece[filled] = UInt8(ascii: "\"")
            self.bytes.append(contentsOf: UnsafeRawBufferPointer(rebasing: piece[...filled]))
        }
    }

    package mutating func string(_ utf8: [UInt8]) {
        utf8.withUnsafeBytes { self.string($0) }
    }

    /// What somebody sent as it may stand in a message to them: quoted, escaped, and cut when it is longer than that.
    package static func quoted(_ text: String, maxCharacters: Int = .max) -> String {
        var writer = JSONWriter()
        let start = Substring(text.unicodeScalars.prefix(maxCharacters))
        writer.string(start.endIndex == text.endIndex ? text : start + "…")
        return String(decoding: writer.bytes, as: UTF8.self)
    }
}
