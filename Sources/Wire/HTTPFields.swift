import Glibc

/// The characters of RFC 9110 section 5.6.
enum HTTPCharacters {
    /// Letters, digits and ``!#$%&'*+-.^_`|~``: a bit each for the 128 characters of ASCII.
    static func isToken(_ byte: UInt8) -> Bool {
        let bits: UInt64 = byte < 64 ? 0x03FF_6CFA_0000_0000 : 0x57FF_FFFF_C7FF_FFFE
        return byte < 128 && bits >> UInt64(byte & 63) & 1 == 1
    }

    /// Visible characters, space and tab, and the bytes above ASCII: no control bytes.
    static func isFieldValue(_ byte: UInt8) -> Bool { (byte >= 0x20 && byte != 0x7F) || byte == 0x09 }

    static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 }
}

/// Walks the lines of a request head. Every line ends in CR LF; a bare CR or LF is refused.
struct HeadLines {
    private let bytes: UnsafeRawBufferPointer
    private var index = 0

    init(_ bytes: UnsafeRawBufferPointer) {
        self.bytes = bytes
    }

    /// The next line without its end; nil at the empty line. A bare LF is left in it, where no character may be one.
    mutating func next() throws(HTTPRequestFailure) -> UnsafeRawBufferPointer? {
        let start = self.index
        guard let end = self.bytes.place(of: UInt8(ascii: "\r"), from: start) else {
            throw .badRequest("Line does not end in CR LF")
        }
        guard end + 1 < self.bytes.count, self.bytes[end + 1] == UInt8(ascii: "\n") else {
            throw .badRequest("Line does not end in CR LF")
        }
        self.index = end + 2
        return end == start ? nil : UnsafeRawBufferPointer(rebasing: self.bytes[start..<end])
    }
}

/// One line of a head, split and checked.
struct HTTPFieldLine {
    let name: UnsafeRawBufferPointer
    /// Without the blanks around it.
    let value: UnsafeRawBufferPointer

    init(_ line: UnsafeRawBufferPointer) throws(HTTPRequestFailure) {
        // A line that begins with a blank would continue the line before it (obs-fold): no token begins so.
        guard let colon = line.place(of: UInt8(ascii: ":")), colon > 0,
            line[..<colon].allSatisfy(HTTPCharacters.isToken)
        else { throw .badRequest("Header field is malformed") }
        self.name = UnsafeRawBufferPointer(rebasing: line[..<colon])
        self.value = Self.trimmed(UnsafeRawBufferPointer(rebasing: line[(colon + 1)...]))
        guard self.value.allSatisfy(HTTPCharacters.isFieldValue) else {
            throw .badRequest("Header field has a control character")
        }
    }

    static func trimmed(_ value: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
        var (start, end) = (0, value.count)
        while start < end, HTTPCharacters.isBlank(value[start]) { start += 1 }
        while start < end, HTTPCharacters.isBlank(value[end - 1]) { end -= 1 }
        return UnsafeRawBufferPointer(rebasing: value[start..<end])
    }
}

/// Gathers the few header fields that this server acts on, and checks the form of all.
struct FieldCollector {
    var hosts = 0
    var contentLength: Int?
    var isChunked = false
    var connection: [String] = []
    var upgrade: [String] = []
    var expectsContinue = false
    var origin: String?
    var forwardedFor: String?
    var forwardedProto: String?
    var webSocketKey: String?
    var webSocketVersion: String?

    mutating func add(_ line: UnsafeRawBufferPointer) throws(HTTPRequestFailure) {
        let field = try HTTPFieldLine(line)
        let value = field.value
        switch field.name.count {
        case 4 where Self.matches(line, "host"): self.hosts += 1
        case 6 where Self.matches(line, "origin"): try Self.setOnce(&self.origin, value, "Origin")
        case 6 where Self.matches(line, "expect"): self.expectsContinue = Self.tokens(value).contains("100-continue")
        case 7 where Self.matches(line, "upgrade"): self.upgrade += Self.tokens(value)
        case 10 where Self.matches(line, "connection"): self.connection += Self.tokens(value)
        case 14 where Self.matches(line, "content-length"): try self.setContentLength(value)
        case 15 where Self.matches(line, "x-forwarded-for"): Self.append(value, to: &self.forwardedFor)
        case 17 where Self.matches(line, "x-forwarded-proto"): Self.append(value, to: &self.forwardedProto)
        case 17 where Self.matches(line, "transfer-encoding"): try self.setTransferEncoding(value)
        case 17 where Self.matches(line, "sec-websocket-key"):
            try Self.setOnce(&self.webSocketKey, value, "Sec-WebSocket-Key")
        case 21 where Self.matches(line, "sec-websocket-version"):
            try Self.setOnce(&self.webSocketVersion, value, "Sec-WebSocket-Version")
        default: break
        }
    }

    private mutating func setContentLength(_ value: UnsafeRawBufferPointer) throws(HTTPRequestFailure) {
        guard self.contentLength == nil else { throw .badRequest("Content-Length is given twice") }
        guard !value.isEmpty, value.count <= 15, value.allSatisfy({ $0 >= 48 && $0 <= 57 }) else {
            throw .badRequest("Content-Length is malformed")
        }
        self.contentLength = value.reduce(0) { $0 * 10 + Int($1 - 48) }
    }

    private mutating func setTransferEncoding(_ value: UnsafeRawBufferPointer) throws(HTTPRequestFailure) {
        guard !self.isChunked, Self.tokens(value) == ["chunked"] else {
            throw HTTPRequestFailure(status: 501, message: "Only the chunked transfer coding is supported")
        }
        self.isChunked = true
    }

    private static func setOnce(
        _ field: inout String?, _ value: UnsafeRawBufferPointer, _ name: String
    ) throws(HTTPRequestFailure) {
        guard field == nil else { throw .badRequest("\(name) is given twice") }
        field = String(decoding: value, as: UTF8.self)
    }

    /// Fields of one name are one list (RFC 9110 section 5.3).
    private static func append(_ value: UnsafeRawBufferPointer, to list: inout String?) {
        let text = String(decoding: value, as: UTF8.self)
        list = list.map { "\($0),\(text)" } ?? text
    }

    /// Whether the name at the front of `line` is `name`, which is in lower case.
    private static func matches(_ line: UnsafeRawBufferPointer, _ name: StaticString) -> Bool {
        for index in 0..<name.utf8CodeUnitCount where line[index] | 0x20 != name.utf8Start[index] { return false }
        return true
    }

    /// The members of a comma-separated list, empty ones included, with A to Z in lower case. Only those: Unicode has a
    /// Kelvin sign, whose lower case is a k.
    private static func tokens(_ value: UnsafeRawBufferPointer) -> [String] {
        value.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false).map { member in
            let lowered = HTTPFieldLine.trimmed(UnsafeRawBufferPointer(rebasing: member)).map { byte in
                (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) ? byte | 0x20 : byte
            }
            return String(decoding: lowered, as: UTF8.self)
        }
    }
}

extension UnsafeRawBufferPointer {
    /// The index of the first such byte from `start` on; nil when there is none.
    func place(of byte: UInt8, from start: Int = 0) -> Int? {
        guard start < self.count, let base = self.baseAddress,
            let found = memchr(base + start, CInt(byte), self.count - start)
        else { return nil }
        return UnsafeRawPointer(found) - base
    }
}
