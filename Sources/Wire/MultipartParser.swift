internal import Glibc

/// Takes a `multipart/form-data` body apart as it comes in (RFC 7578; the framing is that of RFC 2046 section 5.1).
///
/// Pure: bytes in any pieces become the same events. Of a body it keeps no more than a part's head. Lines end in CR LF;
/// what stands before the first delimiter and after the last is read over.
package struct MultipartParser: Sendable {
    package enum Event: Equatable, Sendable {
        case partBegan(MultipartPart)
        /// Some more of the part's bytes; never none.
        case bytes([UInt8])
        case partEnded
    }

    /// The most bytes of a part's head.
    package static let maxHeadBytes = 8 * 1024
    /// The most parts of a body.
    package static let maxParts = 1000

    private enum State {
        case preamble
        /// Behind a delimiter: what kind of one it is.
        case delimited
        case padding
        case lineFeed
        case secondHyphen
        case head
        case body
        case epilogue
    }

    private let delimiter: [UInt8]
    private var state = State.preamble
    /// How much of the delimiter the last bytes are. The first line needs no line end before it.
    private var matched = 2
    private var head: [UInt8] = []
    private var parts = 0

    /// - Parameter contentType: the value of the body's `Content-Type`, of which the boundary is taken: 1 to 70 of the
    ///   characters of RFC 2046 section 5.1.1.
    package init(contentType: String) throws(MultipartFailure) {
        guard let value = ParameterizedValue(Array(contentType.utf8)), value.value == "multipart/form-data",
            let boundary = value["boundary"], (1...70).contains(boundary.count), boundary.last != UInt8(ascii: " "),
            boundary.allSatisfy(Self.isBoundary)
        else { throw MultipartFailure("its Content-Type has no boundary, or one that is not allowed") }
        self.delimiter = Array("\r\n--".utf8) + boundary
    }

    /// What these bytes, which follow those of the last call, say. After an error the body is of no use.
    package mutating func parse(_ input: UnsafeRawBufferPointer) throws(MultipartFailure) -> [Event] {
        var events: [Event] = []
        var index = 0
        while index < input.count {
            let rest = UnsafeRawBufferPointer(rebasing: input[index...])
            switch self.state {
            case .preamble, .body: index += self.search(rest, &events)
            case .head: index += try self.readHead(rest, &events)
            case .epilogue: return events
            case .delimited, .padding, .lineFeed, .secondHyphen:
                try self.step(input[index])
                index += 1
            }
        }
        return events
    }

    /// To be called at the end of the body. Throws when the last delimiter is missing.
    package func finish() throws(MultipartFailure) {
        guard case .epilogue = self.state else { throw MultipartFailure("it ends before its last boundary") }
    }

    /// Reads up to the end of a delimiter, or all there is, and returns how many bytes that were.
    private mutating func search(_ input: UnsafeRawBufferPointer, _ events: inout [Event]) -> Int {
        var bytes: [UInt8] = []
        var index = 0
        while index < input.count, self.matched < self.delimiter.count {
            if self.matched == 0 {
                let end = Self.firstReturn(in: input, from: index)
                if case .body = self.state { bytes += input[index..<end] }
                index = end
                if end < input.count { (self.matched, index) = (1, end + 1) }
            } else if input[index] == self.delimiter[self.matched] {
                self.matched += 1
                index += 1
            } else {
                // Not a delimiter. It has one CR, at its front, so another can only begin at this byte.
                if case .body = self.state { bytes += self.delimiter[..<self.matched] }
                self.matched = 0
            }
        }
        if !bytes.isEmpty { events.append(.bytes(bytes)) }
        if self.matched == self.delimiter.count {
            if case .body = self.state { events.append(.partEnded) }
            (self.state, self.matched) = (.delimited, 0)
        }
        return index
    }

    private mutating func step(_ byte: UInt8) throws(MultipartFailure) {
        switch (self.state, byte) {
        case (.delimited, UInt8(ascii: "-")): self.state = .secondHyphen
        case (.secondHyphen, UInt8(ascii: "-")): self.state = .epilogue
        case (.delimited, _) where HTTPCharacters.isBlank(byte), (.padding, _) where HTTPCharacters.isBlank(byte):
            self.state = .padding
        case (.delimited, UInt8(ascii: "\r")), (.padding, UInt8(ascii: "\r")): self.state = .lineFeed
        case (.lineFeed, UInt8(ascii: "\n")):
            self.parts += 1
            guard self.parts <= Self.maxParts else {
                throw MultipartFailure("it has more than \(Self.maxParts) parts")
            }
            self.state = .head
        default: throw MultipartFailure("a boundary is followed by something else on its line")
        }
    }

    private mutating func readHead(
        _ input: UnsafeRawBufferPointer, _ events: inout [Event]
    ) throws(MultipartFailure) -> Int {
        let end = input.firstIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? input.count
        guard self.head.count + end <= Self.maxHeadBytes else {
            throw MultipartFailure("a part's header is larger than \(Self.maxHeadBytes) bytes")
        }
        self.head += input[..<end]
        if self.head.elementsEqual("\r\n".utf8) || self.head.suffix(4).elementsEqual("\r\n\r\n".utf8) {
            events.append(.partBegan(try MultipartPart(head: self.head)))
            self.head = []
            self.state = .body
        }
        return end
    }

    private static func firstReturn(in input: UnsafeRawBufferPointer, from start: Int) -> Int {
        guard let base = input.baseAddress,
            let found = memchr(base + start, CInt(UInt8(ascii: "\r")), input.count - start)
        else { return input.count }
        return UnsafeRawPointer(found) - base
    }

    private static func isBoundary(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"),
            UInt8(ascii: "A")...UInt8(ascii: "Z"):
            true
        default: "'()+_,-./:=? ".utf8.contains(byte)
        }
    }
}

/// Why a multipart body is not understood. The text ends the sentence "The multipart body is malformed: …".
package struct MultipartFailure: Error, Equatable, Sendable {
    package let reason: String

    init(_ reason: String) {
        self.reason = reason
    }
}
