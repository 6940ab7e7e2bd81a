/// The head of an HTTP/1.1 request, parsed strictly (RFC 9112): whatever two parsers could read in two ways is refused.
package struct HTTPRequestHead: Equatable, Sendable {
    /// How the body is delimited.
    package enum Body: Equatable, Sendable {
        case length(Int)
        case chunked
    }

    /// What a request to become a WebSocket carries; the values are not checked yet.
    package struct WebSocketUpgrade: Equatable, Sendable {
        package var key: String?
        package var version: String?
    }

    /// Bounds of a head (refused with 431 above them).
    package static let maxBytes = 16 * 1024
    package static let maxFields = 100

    package var method: String
    /// The path as sent, percent-escapes included. Begins with `/`.
    package var path: String
    /// What follows the first `?`, as sent; empty without one.
    package var query: String
    package var body: Body = .length(0)
    /// Whether the connection goes on after the answer.
    package var keepsAlive: Bool
    package var expectsContinue = false
    package var origin: String?
    /// The values of all `X-Forwarded-For` fields in their order, joined by commas; as anybody may have sent them.
    package var forwardedFor: String?
    /// Likewise for `X-Forwarded-Proto`.
    package var forwardedProto: String?
    /// Present when the request asks to become a WebSocket by `Connection: upgrade` and `Upgrade: websocket`.
    package var webSocket: WebSocketUpgrade?
}

/// Why a request was not understood; `status` is the answer, after which the connection is closed.
package struct HTTPRequestFailure: Error, Equatable, Sendable {
    package let status: Int
    package let message: String

    package init(status: Int, message: String) {
        self.status = status
        self.message = message
    }

    static func badRequest(_ message: String) -> HTTPRequestFailure {
        HTTPRequestFailure(status: 400, message: message)
    }
}

extension HTTPRequestHead {
    /// The length of the head at the front of `bytes`, its empty line included; nil when that has not arrived.
    ///
    /// `searched` is how much of `bytes` an earlier call has already seen. Throws when there can never be one.
    package static func length(
        in bytes: UnsafeRawBufferPointer, searched: Int
    ) throws(HTTPRequestFailure) -> Int? {
        // The beginning of a TLS handshake: who sent it would wait for an answer for as long as for a head.
        if bytes.first == 0x16 { throw .badRequest("This port speaks HTTP, not TLS") }
        var index = max(searched - 3, 0)
        let end = min(bytes.count, self.maxBytes)
        while index + 4 <= end {
            // CR LF CR LF, found by its last byte: most bytes are neither.
            switch bytes[index + 3] {
            case UInt8(ascii: "\n"):
                if bytes[index + 2] == UInt8(ascii: "\r"), bytes[index + 1] == UInt8(ascii: "\n"),
                    bytes[index] == UInt8(ascii: "\r")
                {
                    return index + 4
                }
                index += 1
            case UInt8(ascii: "\r"): index += 1
            default: index += 4
            }
        }
        guard bytes.count < self.maxBytes else {
            throw HTTPRequestFailure(status: 431, message: "Request head is over \(self.maxBytes) bytes")
        }
        return nil
    }

    /// Parses a whole head, its empty line included.
    package init(parsing bytes: UnsafeRawBufferPointer) throws(HTTPRequestFailure) {
        var lines = HeadLines(bytes)
        guard let requestLine = try lines.next() else { throw .badRequest("Request line is missing") }
        let (method, target, isHTTP10) = try Self.requestLine(requestLine)
        let (path, query) = try Self.splitTarget(target)
        self.init(method: method, path: path, query: query, keepsAlive: !isHTTP10)

        var fields = FieldCollector()
        var count = 0
        while let line = try lines.next() {
            count += 1
            guard count <= Self.maxFields else {
                throw HTTPRequestFailure(status: 431, message: "Request has over \(Self.maxFields) header fields")
            }
            try fields.add(line)
        }
        try self.apply(fields, isHTTP10: isHTTP10)
    }

    private static func requestLine(
        _ line: UnsafeRawBufferPointer
    ) throws(HTTPRequestFailure) -> (method: String, target: UnsafeRawBufferPointer, isHTTP10: Bool) {
        guard let first = line.place(of: UInt8(ascii: " ")), let last = line.lastIndex(of: UInt8(ascii: " ")),
            first < last
        else { throw .badRequest("Request line is malformed") }
        let method = UnsafeRawBufferPointer(rebasing: line[..<first])
        let target = UnsafeRawBufferPointer(rebasing: line[(first + 1)..<last])
        let version = UnsafeRawBufferPointer(rebasing: line[(last + 1)...])
        guard !method.isEmpty, method.count <= 32, method.allSatisfy(HTTPCharacters.isToken) else {
            throw .badRequest("Method is malformed")
        }
        guard !target.isEmpty, target.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
            throw .badRequest("Request target is malformed")
        }
        guard version.count == 8, version.starts(with: "HTTP/".utf8), version[6] == UInt8(ascii: ".") else {
            throw .badRequest("HTTP version is malformed")
        }
        switch (version[5], version[7]) {
        case (UInt8(ascii: "1"), UInt8(ascii: "1")): return (String(decoding: method, as: UTF8.self), target, false)
        case (UInt8(ascii: "1"), UInt8(ascii: "0")): return (String(decoding: method, as: UTF8.self), target, true)
        default: throw HTTPRequestFailure(status: 505, message: "Only HTTP/1.1 is spoken here")
        }
    }

    /// Path and query of the origin form, or of the absolute form that proxies use (RFC 9112 section 3.2).
    private static func splitTarget(
        _ target: UnsafeRawBufferPointer
    ) throws(HTTPRequestFailure) -> (path: String, query: String) {
        var target = target
        if target.first != UInt8(ascii: "/"),
            let scheme = ["http://", "https://"].first(where: { target.starts(with: $0.utf8) })
        {
            let rest = UnsafeRawBufferPointer(rebasing: target[scheme.utf8.count...])
            // Not simply the first slash: without a path, that could be one inside the query.
            guard let end = rest.firstIndex(where: { $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: "?") }), end > 0
            else { throw .badRequest("Request target has no host or no path") }
            target = UnsafeRawBufferPointer(rebasing: rest[end...])
        }
        guard target.first == UInt8(ascii: "/"), target.place(of: UInt8(ascii: "#")) == nil else {
            throw .badRequest("Request target is malformed")
        }
        let mark = target.place(of: UInt8(ascii: "?")) ?? target.endIndex
        let query = mark < target.endIndex ? target[(mark + 1)...] : target[mark...]
        return (
            String(decoding: target[..<mark], as: UTF8.self),
            String(decoding: UnsafeRawBufferPointer(rebasing: query), as: UTF8.self)
        )
    }

    private mutating func apply(_ fields: FieldCollector, isHTTP10: Bool) throws(HTTPRequestFailure) {
        guard fields.hosts == 1 || (isHTTP10 && fields.hosts == 0) else {
            throw .badRequest("Exactly one Host header field is needed")
        }
        if fields.isChunked {
            guard !isHTTP10, fields.contentLength == nil else {
                throw .badRequest("Transfer-Encoding may not be combined with this request")
            }
            self.body = .chunked
        } else {
            self.body = .length(fields.contentLength ?? 0)
        }
        if fields.connection.contains("close") {
            self.keepsAlive = false
        } else if fields.connection.contains("keep-alive") {
            self.keepsAlive = true
        }
        self.expectsContinue = fields.expectsContinue && !isHTTP10
        self.origin = fields.origin
        self.forwardedFor = fields.forwardedFor
        self.forwardedProto = fields.forwardedProto
        if fields.connection.contains("upgrade"), fields.upgrade.contains("websocket"), !isHTTP10 {
            self.webSocket = WebSocketUpgrade(key: fields.webSocketKey, version: fields.webSocketVersion)
        }
    }
}
