import Foundation

/// A keep-alive HTTP/1.1 client, one request at a time.
final class HTTPClient {
    let socket: Socket

    init(port: Int) throws {
        self.socket = try Socket(port: port)
    }

    /// The bytes of a request; they can be sent many times.
    static func request(_ method: String, _ path: String, token: String?, json: String? = nil) -> [UInt8] {
        var head = "\(method) \(path) HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: application/json\r\n"
        if let token { head += "Authorization: Bearer \(token)\r\n" }
        if let json { head += "Content-Type: application/json\r\nContent-Length: \(json.utf8.count)\r\n" }
        return Array("\(head)\r\n\(json ?? "")".utf8)
    }

    /// Sends a request and waits for the whole answer. The status.
    func status(_ request: [UInt8]) throws -> Int {
        let (status, length) = try self.answer(to: request)
        self.socket.take(length)
        return status
    }

    /// Sends a request and decodes the body of its answer. Throws unless the status is `expected`.
    func json(_ request: [UInt8], expected: Int) throws -> [String: Any] {
        let (status, length) = try self.answer(to: request)
        defer { self.socket.take(length) }
        let body = Data(self.socket.bytes(0..<length).split(separator: 0x0a, maxSplits: .max).last ?? [])
        guard status == expected else {
            throw Failure("status \(status): \(String(decoding: body, as: UTF8.self))")
        }
        return try JSONSerialization.jsonObject(with: body) as? [String: Any] ?? [:]
    }

    /// The status and the length of head and body, which lie in the socket's buffer.
    private func answer(to request: [UInt8]) throws -> (status: Int, length: Int) {
        try self.socket.send(request)
        var head: Int?
        while head == nil {
            try self.socket.receive()
            head = self.socket.find("\r\n\r\n").map { $0 + 4 }
        }
        guard let head else { throw Failure("an answer has no end") }
        guard
            let field = self.socket.find("content-length: ", within: head)
                ?? self.socket.find("Content-Length: ", within: head)
        else { throw Failure("an answer has no length") }
        let length = head + Int(self.socket.number(at: field + 16).value)
        while self.socket.end - self.socket.start < length { try self.socket.receive() }
        return (Int(self.socket.number(at: 9).value), length)
    }
}
