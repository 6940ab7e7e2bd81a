/// The text is not JSON, or nests too deep.
package struct JSONFailure: Error, Equatable, Sendable {}

/// Reads JSON (RFC 8259) without building a tree: every value is checked whole and handed over as a slice of the text.
///
/// The text must be valid UTF-8 already. Nesting is bounded by `maxDepth`. Nothing is kept; nothing is copied.
package struct JSONReader {
    /// How deep arrays and objects may nest.
    package static let maxDepth = 64

    private let bytes: UnsafeRawBufferPointer
    private var index = 0
    /// How many arrays and objects the reader has entered: their items may nest that much less.
    private var entered = 0

    private init(_ bytes: UnsafeRawBufferPointer) {
        self.bytes = bytes
    }

    /// Reads one value that fills `bytes` but for blanks: what `body` leaves unread must be blanks.
    package static func read<Result>(
        _ bytes: UnsafeRawBufferPointer, _ body: (inout JSONReader) throws(JSONFailure) -> Result
    ) throws(JSONFailure) -> Result {
        var reader = JSONReader(bytes)
        reader.skipBlanks()
        let result = try body(&reader)
        reader.skipBlanks()
        guard reader.index == bytes.count else { throw JSONFailure() }
        return result
    }

    /// The single value that `bytes` is, blanks around it left out.
    package static func value(of bytes: UnsafeRawBufferPointer) throws(JSONFailure) -> JSONSlice {
        try self.read(bytes) { (reader) throws(JSONFailure) in try reader.readValue() }
    }

    /// Calls `body` with each member of the object that `bytes` is. Of members with the same name all are reported.
    package static func members(
        of bytes: UnsafeRawBufferPointer, _ body: (JSONName, JSONSlice) -> Void
    ) throws(JSONFailure) {
        try self.read(bytes) { (reader) throws(JSONFailure) in
            try reader.readMembers { (name, reader) throws(JSONFailure) in body(name, try reader.readValue()) }
        }
    }

    /// Calls `body` with each element of the array that `bytes` is.
    package static func elements(
        of bytes: UnsafeRawBufferPointer, _ body: (JSONSlice) -> Void
    ) throws(JSONFailure) {
        try self.read(bytes) { (reader) throws(JSONFailure) in
            try reader.readElements { (reader) throws(JSONFailure) in body(try reader.readValue()) }
        }
    }

    /// Whether the value at hand is an object, if it is one at all.
    package var isAtObject: Bool { self.peek == UInt8(ascii: "{") }
    package var isAtArray: Bool { self.peek == UInt8(ascii: "[") }

    /// Reads the object at hand. `body` is called behind each member's name and reads the value.
    package mutating func readMembers(
        _ body: (JSONName, inout JSONReader) throws(JSONFailure) -> Void
    ) throws(JSONFailure) {
        try self.readItems(from: UInt8(ascii: "{"), to: UInt8(ascii: "}")) { (reader) throws(JSONFailure) in
            let name = try reader.readString()
            reader.skipBlanks()
            try reader.expect(UInt8(ascii: ":"))
            reader.skipBlanks()
            try body(JSONName(slice: name), &reader)
        }
    }

    /// Reads the array at hand; `body` reads each element.
    package mutating func readElements(
        _ body: (inout JSONReader) throws(JSONFailure) -> Void
    ) throws(JSONFailure) {
        try self.readItems(from: UInt8(ascii: "["), to: UInt8(ascii: "]"), body)
    }

    /// Reads an object or array, with commas between what `readItem` reads.
    @inline(__always)
    private mutating func readItems(
        from open: UInt8, to close: UInt8, _ readItem: (inout JSONReader) throws(JSONFailure) -> Void
    ) throws(JSONFailure) {
        try self.expect(open)
        guard self.entered < Self.maxDepth else { throw JSONFailure() }
        self.entered += 1
        self.skipBlanks()
        if self.peek != close {
            while true {
                try readItem(&self)
                self.skipBlanks()
                guard self.peek == UInt8(ascii: ",") else { break }
                self.index += 1
                self.skipBlanks()
            }
        }
        try self.expect(close)
        self.entered -= 1
    }

    private var peek: UInt8? { self.index < self.bytes.count ? self.bytes[self.index] : nil }

    @inline(__always)
    private mutating func expect(_ byte: UInt8) throws(JSONFailure) {
        guard self.peek == byte else { throw JSONFailure() }
        self.index += 1
    }

    @inline(__always)
    private mutating func skipBlanks() {
        while let byte = self.peek, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { self.index += 1 }
    }

    private func slice(_ kind: JSONSlice.Kind, from start: Int) -> JSONSlice {
        JSONSlice(
            kind: kind, bytes: UnsafeRawBufferPointer(rebasing: self.bytes[start..<self.index]), hasEscapes: false,
            decodedCount: self.index - start)
    }

    /// Reads the value at hand, whatever it is.
    package mutating func readValue() throws(JSONFailure) -> JSONSlice {
        let start = self.index
        switch self.peek {
        case UInt8(ascii: "\""): return try self.readString()
        case UInt8(ascii: "{"):
            try self.skipNested()
            return self.slice(.object, from: start)
        case UInt8(ascii: "["):
            try self.skipNested()
            return self.slice(.array, from: start)
        default: return try self.readAtom()
        }
    }

    private mutating func readAtom() throws(JSONFailure) -> JSONSlice {
        let start = self.index
        switch self.peek {
        case UInt8(ascii: "t"):
            try self.skipWord("true")
            return self.slice(.boolean, from: start)
        case UInt8(ascii: "f"):
            try self.skipWord("false")
            return self.slice(.boolean, from: start)
        case UInt8(ascii: "n"):
            try self.skipWord("null")
            return self.slice(.null, from: start)
        default:
            try self.skipNumber()
            return self.slice(.number, from: start)
        }
    }

    /// Skips an object or array with all that it holds; no recursion, so no peer can grow the stack.
    private mutating func skipNested() throws(JSONFailure) {
        // One bit a level: 1 for an object.
        var isObject: UInt64 = 0
        var depth = 0
        var expectsItem = false
        repeat {
            switch self.peek {
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                guard self.entered + depth < Self.maxDepth else { throw JSONFailure() }
                let opensObject = self.peek == UInt8(ascii: "{")
                isObject = isObject << 1 | (opensObject ? 1 : 0)
                depth += 1
                self.index += 1
                self.skipBlanks()
                if self.peek == (opensObject ? UInt8(ascii: "}") : UInt8(ascii: "]")) {
                    expectsItem = false
                } else {
                    if opensObject { try self.skipName() }
                    expectsItem = true
                    continue
                }
            case UInt8(ascii: "\"") where expectsItem: _ = try self.readString()
            default:
                guard expectsItem else { throw JSONFailure() }
                _ = try self.readAtom()
            }
            // After an item, or before the end of something empty: close levels, then go on behind a comma.
            self.skipBlanks()
            while depth > 0, self.peek == (isObject & 1 == 1 ? UInt8(ascii: "}") : UInt8(ascii: "]")) {
                self.index += 1
                isObject >>= 1
                depth -= 1
                if depth > 0 { self.skipBlanks() }
            }
            guard depth > 0 else { return }
            try self.expect(UInt8(ascii: ","))
            self.skipBlanks()
            if isObject & 1 == 1 { try self.skipName() }
            expectsItem = true
        } while true
    }

    private mutating func skipName() throws(JSONFailure) {
        _ = try self.readString()
        self.skipBlanks()
        try self.expect(UInt8(ascii: ":"))
        self.skipBlanks()
    }

    private mutating func skipWord(_ word: StaticString) throws(JSONFailure) {
        for index in 0..<word.utf8CodeUnitCount { try self.expect(word.utf8Start[index]) }
    }

    private mutating func skipDigits() throws(JSONFailure) {
        let start = self.index
        while let byte = self.peek, byte >= 48 && byte <= 57 { self.index += 1 }
        guard self.index > start else { throw JSONFailure() }
    }

    private mutating func skipNumber() throws(JSONFailure) {
        if self.peek == UInt8(ascii: "-") { self.index += 1 }
        if self.peek == UInt8(ascii: "0") { self.index += 1 } else { try self.skipDigits() }
        if self.peek == UInt8(ascii: ".") {
            self.index += 1
            try self.skipDigits()
        }
        if let byte = self.peek, byte | 0x20 == UInt8(ascii: "e") {
            self.index += 1
            if let sign = self.peek, sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-") { self.index += 1 }
            try self.skipDigits()
        }
    }

    private mutating func readString() throws(JSONFailure) -> JSONSlice {
        let start = self.index
        try self.expect(UInt8(ascii: "\""))
        var saved = 0  // bytes that escapes take beyond what they say
        var hasEscapes = false
        while true {
            self.index = JSONText.firstSpecial(self.bytes, from: self.index)
            guard let byte = self.peek else { throw JSONFailure() }
            switch byte {
            case UInt8(ascii: "\""):
                self.index += 1
                let text = UnsafeRawBufferPointer(rebasing: self.bytes[start..<self.index])
                return JSONSlice(
                    kind: .string, bytes: text, hasEscapes: hasEscapes, decodedCount: text.count - 2 - saved)
            case UInt8(ascii: "\\"):
                hasEscapes = true
                saved += try self.skipEscape()
            default: throw JSONFailure()
            }
        }
    }

    /// Skips one escape, or a pair of surrogates, and returns by how many bytes it is longer than what it says.
    private mutating func skipEscape() throws(JSONFailure) -> Int {
        guard self.index + 1 < self.bytes.count else { throw JSONFailure() }
        switch self.bytes[self.index + 1] {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"),
            UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
            self.index += 2
            return 1
        case UInt8(ascii: "u"):
            guard self.index + 6 <= self.bytes.count,
                self.bytes[(self.index + 2)..<(self.index + 6)].allSatisfy({ HexDigit.value($0) != nil })
            else { throw JSONFailure() }
            let (scalar, length) = JSONEscape.scalar(self.bytes, at: self.index)
            self.index += length
            return length - UTF8.width(scalar)
        default: throw JSONFailure()
        }
    }
}
