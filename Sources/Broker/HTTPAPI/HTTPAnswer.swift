import NIOCore
import PusherProtocol

/// What an HTTP request is answered.
struct HTTPAnswer {
    enum Status: Int {
        case ok = 200
        case accepted = 202
        case badRequest = 400
        case unauthorized = 401
        case forbidden = 403
        case notFound = 404
        case methodNotAllowed = 405
        case requestTimeout = 408
        case contentTooLarge = 413
        case upgradeRequired = 426
        case tooManyRequests = 429
        case headTooLarge = 431
        case notImplemented = 501
        case serviceUnavailable = 503
        case versionNotSupported = 505

        var isRefusal: Bool { self.rawValue >= 400 }

        var reason: StaticString {
            switch self {
            case .ok: "OK"
            case .accepted: "Accepted"
            case .badRequest: "Bad Request"
            case .unauthorized: "Unauthorized"
            case .forbidden: "Forbidden"
            case .notFound: "Not Found"
            case .methodNotAllowed: "Method Not Allowed"
            case .requestTimeout: "Request Timeout"
            case .contentTooLarge: "Content Too Large"
            case .upgradeRequired: "Upgrade Required"
            case .tooManyRequests: "Too Many Requests"
            case .headTooLarge: "Request Header Fields Too Large"
            case .notImplemented: "Not Implemented"
            case .serviceUnavailable: "Service Unavailable"
            case .versionNotSupported: "HTTP Version Not Supported"
            }
        }
    }

    let status: Status
    /// Nil for an answer without content.
    let contentType: StaticString?
    let body: [UInt8]
    /// What is wrong with the request's signature, as `RequestSignature.Refusal` says it.
    private var signatureReason: String?
    /// Whole header lines.
    private var fields = ""

    /// An answer for a program. The body is always a JSON object (8.1 of the protocol facts).
    init(json: [UInt8]) {
        self.status = .ok
        self.contentType = "application/json"
        self.body = json
    }

    static let emptyObject = HTTPAnswer(json: Array("{}".utf8))

    /// An answer without content, as the deprecated trigger's is (8.11).
    static let accepted = HTTPAnswer(emptyWith: .accepted)

    private init(emptyWith status: Status) {
        self.status = status
        self.contentType = nil
        self.body = []
    }

    /// An error for a person: plain text, as the hosted service answers (8.1).
    init(_ status: Status, text: String) {
        self.status = status
        self.contentType = "text/plain; charset=utf-8"
        self.body = Array((text + "\n").utf8)
    }

    /// The refusal of a request that is not signed rightly.
    init(_ refusal: RequestSignature.Refusal) {
        self.init(.unauthorized, text: refusal.description)
        self.signatureReason = refusal.reason
    }

    /// Why a request was refused, as a word that stays the same and holds nothing of the request's.
    var reason: String {
        self.signatureReason ?? "\(self.status.reason)".lowercased().replacing(" ", with: "_")
    }

    /// The same answer with one more header line.
    func adding(_ line: String) -> HTTPAnswer {
        var answer = self
        answer.fields += line
        return answer
    }

    /// Appends the answer to `buffer`.
    func write(to buffer: inout ByteBuffer, date: String, keepsAlive: Bool, withoutBody: Bool) {
        buffer.writeStaticString("HTTP/1.1 ")
        buffer.writeDecimal(self.status.rawValue)
        buffer.writeStaticString(" ")
        buffer.writeStaticString(self.status.reason)
        buffer.writeStaticString("\r\nDate: ")
        buffer.writeString(date)
        if let contentType = self.contentType {
            buffer.writeStaticString("\r\nContent-Type: ")
            buffer.writeStaticString(contentType)
        }
        buffer.writeStaticString("\r\nContent-Length: ")
        buffer.writeDecimal(self.body.count)
        buffer.writeStaticString("\r\n")
        buffer.writeString(self.fields)
        if !keepsAlive { buffer.writeStaticString("Connection: close\r\n") }
        buffer.writeStaticString("\r\n")
        if !withoutBody { buffer.writeBytes(self.body) }
    }
}

extension ByteBuffer {
    fileprivate mutating func writeDecimal(_ value: Int) {
        self.writeString(String(value))
    }
}
