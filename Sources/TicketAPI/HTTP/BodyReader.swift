internal import HTTPTypes
internal import Hummingbird
internal import NIOCore
internal import NIOHTTP1

/// Reads a request's body into fields, within a bound.
enum BodyReader {
    static let maxBytes = 1 << 20

    private enum ContentType { case json, form }

    /// Whether the body is an HTML form, which may name another method.
    static func isForm(_ request: Request) -> Bool {
        request.headers[.contentType].flatMap(Self.type) == .form
    }

    static func read(_ request: Request) async throws -> Input {
        if let length = request.headers[.contentLength].flatMap({ Int($0) }), length > Self.maxBytes {
            throw HTTPFailure.contentTooLarge
        }
        let bytes = try await self.bytes(request)
        guard bytes.readableBytes > 0 else { return Input() }
        switch request.headers[.contentType].flatMap(Self.type) {
        case .json:
            do {
                return try Input(json: bytes.readableBytesView)
            } catch {
                throw HTTPFailure.malformedJSON
            }
        case .form: return Input(form: String(buffer: bytes))
        case nil: throw HTTPFailure.unsupportedMediaType
        }
    }

    private static func bytes(_ request: Request) async throws -> ByteBuffer {
        var bytes = ByteBuffer()
        do {
            for try await part in request.body {
                guard bytes.readableBytes + part.readableBytes <= Self.maxBytes else {
                    throw HTTPFailure.contentTooLarge
                }
                bytes.writeImmutableBuffer(part)
            }
        } catch let failure as HTTPFailure {
            throw failure
        } catch let error as HTTPParserError {
            // Hummingbird answers it and closes the connection.
            throw error
        } catch {
            throw HTTPFailure.contentIncomplete
        }
        return bytes
    }

    private static func type(_ value: String) -> ContentType? {
        let essence = value.prefix { $0 != ";" }.lowercased().filter { $0 != " " && $0 != "\t" }
        if essence == "application/json" || (essence.hasPrefix("application/") && essence.hasSuffix("+json")) {
            return .json
        }
        return essence == "application/x-www-form-urlencoded" ? .form : nil
    }
}
