/// Decodes a body in the chunked transfer coding (RFC 9112 section 7.1). Pure; keeps no input.
///
/// Chunk extensions and trailers are read over and dropped, within bounds.
package struct ChunkedBody: Sendable {
    private enum State {
        case size(digits: Int)
        case extensions
        case sizeLineFeed
        case data
        case dataReturn
        case dataLineFeed
        case trailer(atLineStart: Bool)
        case trailerLineFeed(isLast: Bool)
        case done
    }

    /// The most bytes that size lines and trailers may take beside the data.
    private static let maxOverhead = 16 * 1024

    private var state = State.size(digits: 0)
    private var chunk = 0
    private var overhead = 0
    private let maxBytes: Int

    /// - Parameter maxBytes: the largest body; above it `decode` throws 413.
    package init(maxBytes: Int) {
        self.maxBytes = maxBytes
    }

    package var isDone: Bool {
        if case .done = self.state { true } else { false }
    }

    /// Reads from the front of `input`, appends the data to `body`, and returns how many bytes it took: all of them,
    /// or those up to the end of the body.
    package mutating func decode(
        _ input: UnsafeRawBufferPointer, appendingTo body: inout [UInt8]
    ) throws(HTTPRequestFailure) -> Int {
        var index = 0
        while index < input.count, !self.isDone {
            if case .data = self.state {
                let take = min(self.chunk, input.count - index)
                guard take <= self.maxBytes - body.count else { throw Self.tooLarge(self.maxBytes) }
                body.append(contentsOf: UnsafeRawBufferPointer(rebasing: input[index..<(index + take)]))
                self.chunk -= take
                index += take
                if self.chunk == 0 { self.state = .dataReturn }
                continue
            }
            try self.step(input[index])
            index += 1
            self.overhead += 1
            guard self.overhead <= Self.maxOverhead + body.count else {
                throw .badRequest("Chunked body has too much beside its data")
            }
        }
        return index
    }

    private mutating func step(_ byte: UInt8) throws(HTTPRequestFailure) {
        switch (self.state, byte) {
        case (.size(let digits), _) where Self.hexDigit(byte) != nil && digits < 8:
            self.chunk = self.chunk << 4 | (Self.hexDigit(byte) ?? 0)
            guard self.chunk <= self.maxBytes else { throw Self.tooLarge(self.maxBytes) }
            self.state = .size(digits: digits + 1)
        case (.size(1...), UInt8(ascii: ";")): self.state = .extensions
        case (.size(1...), UInt8(ascii: "\r")), (.extensions, UInt8(ascii: "\r")): self.state = .sizeLineFeed
        case (.extensions, _) where HTTPCharacters.isFieldValue(byte): break
        case (.sizeLineFeed, UInt8(ascii: "\n")):
            self.state = self.chunk == 0 ? .trailer(atLineStart: true) : .data
        case (.dataReturn, UInt8(ascii: "\r")): self.state = .dataLineFeed
        case (.dataLineFeed, UInt8(ascii: "\n")): self.state = .size(digits: 0)
        case (.trailer(let atLineStart), UInt8(ascii: "\r")): self.state = .trailerLineFeed(isLast: atLineStart)
        case (.trailer, _) where HTTPCharacters.isFieldValue(byte): self.state = .trailer(atLineStart: false)
        case (.trailerLineFeed(isLast: true), UInt8(ascii: "\n")): self.state = .done
        case (.trailerLineFeed(isLast: false), UInt8(ascii: "\n")): self.state = .trailer(atLineStart: true)
        default: throw .badRequest("Chunked body is malformed")
        }
    }

    private static func hexDigit(_ byte: UInt8) -> Int? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): Int(byte) - 48
        case UInt8(ascii: "a")...UInt8(ascii: "f"): Int(byte) - 87
        case UInt8(ascii: "A")...UInt8(ascii: "F"): Int(byte) - 55
        default: nil
        }
    }

    private static func tooLarge(_ maxBytes: Int) -> HTTPRequestFailure {
        HTTPRequestFailure(status: 413, message: "Body is over \(maxBytes) bytes")
    }
}
