internal import HTTPTypes
internal import Hummingbird
internal import NIOCore
internal import NIOHTTP1

/// What a request's body says.
struct ReceivedBody: Sendable {
    var input = Input()
    /// The files of a form, received and not yet kept.
    var uploads: [Upload] = []
}

/// Reads a request's body into fields, within a bound.
enum BodyReader {
    static let maxBytes = 1 << 20

    private enum ContentType { case json, form, multipart }

    /// Whether the body is an HTML form, which may name another method.
    static func isForm(_ request: Request) -> Bool {
        switch self.type(of: request) {
        case .form, .multipart: true
        case .json, nil: false
        }
    }

    /// Whether the body can carry files.
    static func isMultipart(_ request: Request) -> Bool { self.type(of: request) == .multipart }

    /// - Parameter files: where the files of a form go; nil for a route that takes none.
    static func read(
        _ request: Request, on connection: ConnectionContext, files: AttachmentFiles? = nil
    ) async throws -> ReceivedBody {
        let type = self.type(of: request)
        let length = request.headers[.contentLength].flatMap { Int($0) }
        guard (length ?? 0) <= (type == .multipart && files != nil ? FormReader.maxBytes : Self.maxBytes) else {
            throw HTTPFailure.contentTooLarge
        }
        if request.headers[.expect] != nil { connection.wantsBody() }
        if type == .multipart, length != 0 {
            var reader = try FormReader(contentType: request.headers[.contentType] ?? "", files: files)
            return try await reader.read(request)
        }
        return ReceivedBody(input: try await self.input(request, type))
    }

    private static func input(_ request: Request, _ type: ContentType?) async throws -> Input {
        var bytes = ByteBuffer()
        try await self.forEachChunk(of: request, maxBytes: Self.maxBytes) { bytes.writeImmutableBuffer($0) }
        guard bytes.readableBytes > 0 else { return Input() }
        switch type {
        case .json:
            do {
                return try Input(json: bytes.readableBytesView)
            } catch is TooManyFields {
                throw HTTPFailure.tooManyFields
            } catch {
                throw HTTPFailure.malformedJSON
            }
        case .form:
            // Counted first: it is their decoding that takes time.
            guard bytes.readableBytesView.count(where: { $0 == UInt8(ascii: "&") }) < Input.maxFields else {
                throw HTTPFailure.tooManyFields
            }
            return Input(form: String(buffer: bytes))
        case .multipart, nil: throw HTTPFailure.unsupportedMediaType
        }
    }

    /// Runs `body` on the pieces of the request's body as they come in; the next is not read before it returns.
    static func forEachChunk(
        of request: Request, maxBytes: Int, _ body: (ByteBuffer) async throws -> Void
    ) async throws {
        var count = 0
        var chunks = request.body.makeAsyncIterator()
        while let chunk = try await self.next(&chunks) {
            count += chunk.readableBytes
            guard count <= maxBytes else { throw HTTPFailure.contentTooLarge }
            try await body(chunk)
        }
    }

    private static func next(_ chunks: inout RequestBody.AsyncIterator) async throws -> ByteBuffer? {
        do {
            return try await chunks.next()
        } catch let error as HTTPParserError {
            // Hummingbird answers it and closes the connection.
            throw error
        } catch {
            throw HTTPFailure.contentIncomplete
        }
    }

    private static func type(of request: Request) -> ContentType? {
        guard let value = request.headers[.contentType] else { return nil }
        let essence = value.prefix { $0 != ";" }.lowercased().filter { $0 != " " && $0 != "\t" }
        if essence == "application/json" || (essence.hasPrefix("application/") && essence.hasSuffix("+json")) {
            return .json
        }
        switch essence {
        case "application/x-www-form-urlencoded": return .form
        case "multipart/form-data": return .multipart
        default: return nil
        }
    }
}
