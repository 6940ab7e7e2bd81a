import AsyncHTTPClient
import NIOCore
import NIOHTTP1

/// A `multipart/form-data` body.
struct Form {
    private(set) var bytes: [UInt8] = []
    static let contentType = "multipart/form-data; boundary=limit"

    /// What a ticket needs beside its files.
    static var ticket: Form {
        Form().text("subject", "Broken").text("description", "It is.").text("category", "Technical")
            .text("priority", "Low")
    }

    func text(_ name: String, _ value: String) -> Form {
        self.part("form-data; name=\"\(name)\"", Array(value.utf8))
    }

    func file(_ bytes: [UInt8], fileName: String = "a.png") -> Form {
        self.file("attachment", bytes, fileName: fileName)
    }

    func file(_ name: String, _ bytes: [UInt8], fileName: String = "a.png") -> Form {
        self.part("form-data; name=\"\(name)\"; filename=\"\(fileName)\"\r\nContent-Type: text/html", bytes)
    }

    func part(_ disposition: String, _ bytes: [UInt8]) -> Form {
        var form = self
        form.bytes += Array("--limit\r\nContent-Disposition: \(disposition)\r\n\r\n".utf8) + bytes + Array("\r\n".utf8)
        return form
    }

    /// With the parts of another form behind its own.
    func appending(_ other: Form) -> Form {
        var form = self
        form.bytes += other.bytes
        return form
    }

    /// The whole body.
    var body: [UInt8] { self.bytes + Array("--limit--\r\n".utf8) }
}

/// Files of each type, as small as their first bytes allow, filled up to a size.
enum Sample {
    static func png(_ size: Int = 64, fill: UInt8 = 0) -> [UInt8] {
        self.filled(
            [0x89, 0x50, 0x4E, 0x47, 13, 10, 26, 10, 0, 0, 0, 13, 0x49, 0x48, 0x44, 0x52, 0, 0, 0, 1, 0, 0, 0, 1],
            size, fill)
    }
    static func jpeg(_ size: Int = 64) -> [UInt8] { self.filled([0xFF, 0xD8, 0xFF, 0xE0], size, 0) }
    static func pdf(_ size: Int = 64) -> [UInt8] { self.filled(Array("%PDF-1.7\n".utf8), size, 0x20) }

    private static func filled(_ head: [UInt8], _ size: Int, _ fill: UInt8) -> [UInt8] {
        head + [UInt8](repeating: fill, count: max(0, size - head.count))
    }
}

extension TicketHarness {
    func send(
        _ form: Form, to path: String, as account: Account?, headers: [(String, String)] = []
    ) async throws -> Reply {
        try await self.send(form.body, to: path, as: account, headers: headers)
    }

    /// A POST with these bytes as a multipart body.
    func send(
        _ body: [UInt8], to path: String, as account: Account?, headers: [(String, String)] = []
    ) async throws -> Reply {
        var request = HTTPClientRequest(url: "http://127.0.0.1:\(self.port)\(path)")
        request.method = .POST
        request.headers.add(name: "Content-Type", value: Form.contentType)
        request.headers.add(contentsOf: HTTPHeaders(headers))
        if let account { request.headers.add(name: "Authorization", value: "Bearer \(account.token)") }
        request.body = .bytes(ByteBuffer(bytes: body))
        return try await self.reply(to: request, said: "")
    }

    func download(
        _ path: String, as account: Account, headers: [(String, String)] = []
    ) async throws -> (status: Int, headers: HTTPHeaders, bytes: [UInt8]) {
        var request = HTTPClientRequest(url: "http://127.0.0.1:\(self.port)\(path)")
        request.headers = HTTPHeaders([("Authorization", "Bearer \(account.token)")] + headers)
        let response = try await HTTPClient.shared.execute(request, timeout: .seconds(60))
        let body = try await response.body.collect(upTo: 16 << 20)
        return (Int(response.status.code), response.headers, Array(buffer: body))
    }
}
