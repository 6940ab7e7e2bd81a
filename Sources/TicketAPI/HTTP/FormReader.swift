internal import HTTPTypes
internal import Hummingbird
internal import NIOCore
internal import NIOHTTP1
internal import Wire

/// Reads a `multipart/form-data` body part by part as it comes in. Text fields are gathered, files are brought to the disk,
/// as fast as the disk takes them, or read over where nobody wants any.
struct FormReader {
    /// The most bytes of a body with files: as many of the largest as a request may have, and the text fields.
    static let maxBytes = Attachment.maxPerRequest * Attachment.maxBytes + BodyReader.maxBytes

    private enum Part {
        case field(name: String, value: [UInt8])
        case file(UploadReceiver)
        case ignored
    }

    private let files: AttachmentFiles?
    private var parser: MultipartParser
    private var part = Part.ignored
    private var fieldBytes = 0
    private var pairs: [(name: String, value: String)] = []
    private var uploads: [Upload] = []

    /// - Parameter files: where files go; nil where the route takes none.
    init(contentType: String, files: AttachmentFiles?) throws(HTTPFailure) {
        self.files = files
        do {
            self.parser = try MultipartParser(contentType: contentType)
        } catch {
            throw .malformedMultipart(error.reason)
        }
    }

    /// The whole form. When it throws, no file is left.
    mutating func read(_ request: Request) async throws -> ReceivedBody {
        do {
            let maxBytes = self.files == nil ? BodyReader.maxBytes : Self.maxBytes
            try await BodyReader.forEachChunk(of: request, maxBytes: maxBytes) { chunk in
                for event in try chunk.withUnsafeReadableBytes({ try self.parser.parse($0) }) {
                    try await self.take(event)
                }
            }
            try self.parser.finish()
        } catch {
            if case .file(var receiver) = self.part { await receiver.abandon() }
            await self.files?.discard(self.uploads)
            if let failure = error as? MultipartFailure { throw HTTPFailure.malformedMultipart(failure.reason) }
            throw error
        }
        return ReceivedBody(input: Input(pairs: self.pairs), uploads: self.uploads)
    }

    private mutating func take(_ event: MultipartParser.Event) async throws {
        switch (event, self.part) {
        case (.partBegan(let head), _): self.part = self.begin(head)
        case (.bytes(let bytes), .field(let name, var value)):
            self.fieldBytes += bytes.count
            guard self.fieldBytes <= BodyReader.maxBytes else { throw HTTPFailure.contentTooLarge }
            // Not two owners of the bytes while they grow.
            self.part = .ignored
            value += bytes
            self.part = .field(name: name, value: value)
        case (.bytes(let bytes), .file(var receiver)):
            // It cleans up after itself when it throws.
            self.part = .ignored
            try await receiver.append(bytes)
            self.part = .file(receiver)
        case (.partEnded, .field(let name, let value)):
            self.pairs.append((name, String(decoding: value, as: UTF8.self)))
        case (.partEnded, .file(var receiver)):
            self.part = .ignored
            self.uploads.append(try await receiver.finish())
        case (_, .ignored): break
        }
    }

    private func begin(_ head: MultipartPart) -> Part {
        guard let fileName = head.fileName else { return .field(name: head.name, value: []) }
        // A browser sends a file field without a name when no file was chosen.
        guard let files = self.files, !fileName.isEmpty, let field = Upload.Field(name: head.name),
            // One more than there may be is enough to know that there are too many.
            self.uploads.count <= Attachment.maxPerRequest
        else { return .ignored }
        return .file(UploadReceiver(field: field, name: fileName, files: files))
    }
}
