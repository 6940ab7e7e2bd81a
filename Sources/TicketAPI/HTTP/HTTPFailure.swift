internal import HTTPTypes
internal import Hummingbird
internal import PusherPublisher

/// A refusal that HTTP itself knows, before any use case is asked.
enum HTTPFailure: Error {
    case contentTooLarge
    case tooManyFields
    /// The client went away, or the server is told to stop, before the body's end.
    case contentIncomplete
    case unsupportedMediaType
    case malformedJSON
    /// The reason ends the sentence that the client is told.
    case malformedMultipart(String)
    /// None of the bytes that were asked for is among the file's.
    case rangeNotSatisfiable(size: Int64)
    /// A browser's session without the token that shows that a page of ours asks.
    case csrfMismatch
    case routeNotFound(path: String)
    case methodNotAllowed(method: String, path: String, allowed: [String])
}

extension Response {
    static func json(_ status: HTTPResponse.Status, _ json: JSON, headers: HTTPFields = [:]) -> Response {
        self.json(status, bytes: json.bytes, headers: headers)
    }

    /// `bytes` are JSON already.
    static func json(
        _ status: HTTPResponse.Status, bytes: some Collection<UInt8>, headers: HTTPFields = [:]
    ) -> Response {
        var headers = headers
        headers[.contentType] = "application/json"
        headers[.cacheControl] = "no-cache, private"
        headers[.xContentTypeOptions] = "nosniff"
        return Response(status: status, headers: headers, body: ResponseBody(byteBuffer: ByteBuffer(bytes: bytes)))
    }

    private static func message(
        _ status: HTTPResponse.Status, _ text: String, headers: HTTPFields = [:]
    ) -> Response {
        self.json(status, ["message": .string(text)], headers: headers)
    }

    /// The contract's answer to a refusal of HTTP.
    init(_ failure: HTTPFailure) {
        switch failure {
        case .contentTooLarge: self = .message(.contentTooLarge, "The request body is too large.")
        case .tooManyFields: self = .message(.contentTooLarge, "The request body has too many fields.")
        case .contentIncomplete: self = .message(.badRequest, "The request body is incomplete.")
        case .unsupportedMediaType:
            self = .message(
                .unsupportedMediaType,
                "The request body must be JSON, application/x-www-form-urlencoded or multipart/form-data.")
        case .malformedJSON: self = .message(.badRequest, "The request body is not valid JSON.")
        case .malformedMultipart(let reason):
            self = .message(.badRequest, "The multipart body is malformed: \(reason).")
        case .rangeNotSatisfiable(let size):
            self = .message(
                .rangeNotSatisfiable, "The file has \(size) bytes.", headers: [.contentRange: "bytes */\(size)"])
        case .csrfMismatch: self = .message(Self.pageExpired, "CSRF token mismatch.")
        case .routeNotFound(let path): self = .message(.notFound, "The route \(path) could not be found.")
        case .methodNotAllowed(let method, let path, let allowed):
            self = .message(
                .methodNotAllowed,
                "The \(method) method is not supported for route \(path). "
                    + "Supported methods: \(allowed.joined(separator: ", ")).",
                headers: [.allow: allowed.joined(separator: ", ")])
        }
    }

    /// The contract's answer to a refusal of a use case.
    init(_ failure: TicketFailure) {
        switch failure {
        case .unauthenticated:
            self = .message(.unauthorized, "Unauthenticated.", headers: [.wwwAuthenticate: "Bearer"])
        case .wrongCredentials: self = .message(.unauthorized, "Invalid credentials")
        case .notAllowed: self = .message(.forbidden, "This action is unauthorized.")
        case .notFound: self = .message(.notFound, "Ticket not found.")
        case .userNotFound: self = .message(.notFound, "User not found.")
        case .tokenNotFound: self = .message(.notFound, "Token not found.")
        case .invalid(let errors):
            let fields = errors.fields.map { field in
                (name: field.name, value: JSON.array(field.messages.map(JSON.string)))
            }
            self = .json(
                .unprocessableContent, ["message": .string(errors.summary), "errors": .object(fields)])
        case .stale: self = .message(.preconditionFailed, "The ticket has changed since.")
        case .throttled(let seconds, let limit, let resetsAt):
            self = .message(
                .tooManyRequests, "Too Many Attempts.",
                headers: [
                    .retryAfter: String(seconds), .rateLimit: String(limit), .rateLimitRemaining: "0",
                    .rateLimitReset: String(resetsAt),
                ])
        case .overloaded:
            self = .message(.serviceUnavailable, "Service Unavailable", headers: [.retryAfter: "1"])
        }
    }

    /// The answer to an error that is nobody's refusal. Its cause is for the log only.
    init(unexpected error: any Error) {
        self =
            TicketStore.isDiskFull(error) || (error as? FileFailure)?.isDiskFull == true
            ? .message(Self.insufficientStorage, "Insufficient Storage")
            : .message(.internalServerError, "Server Error")
    }

    /// Laravel's own.
    private static let pageExpired = HTTPResponse.Status(code: 419, reasonPhrase: "Page Expired")
    private static let insufficientStorage = HTTPResponse.Status(code: 507, reasonPhrase: "Insufficient Storage")
}
