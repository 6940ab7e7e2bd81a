/// Receives one file of a form: looks at its first bytes, writes it to the disk in pieces, and stops writing as soon as it
/// is known to be refused. Keeps one piece in memory.
struct UploadReceiver {
    private static let pieceBytes = 64 * 1024

    private let files: AttachmentFiles
    private let field: Upload.Field
    private let name: String
    private var size = 0
    private var waiting: [UInt8] = []
    private var type: AttachmentType?
    private var refusal = Upload.Refusal()
    private var file: IncomingFile?

    init(field: Upload.Field, name: String, files: AttachmentFiles) {
        self.files = files
        self.field = field
        self.name = name
    }

    /// When it throws, nothing of the file is left.
    mutating func append(_ bytes: [UInt8]) async throws {
        self.size += bytes.count
        if self.size > Attachment.maxBytes { self.refusal.isTooLarge = true }
        guard !self.isRefused else { return await self.abandon() }
        self.waiting += bytes
        if self.waiting.count >= Self.pieceBytes { try await self.write() }
    }

    /// The whole file is there. When it throws, nothing of it is left.
    mutating func finish() async throws -> Upload {
        if self.size == 0 { self.refusal.isNoFile = true }
        if !self.isRefused { try await self.write() }
        guard let file = self.file, let type = self.type, !self.isRefused else {
            return Upload(field: self.field, content: .refused(self.refusal))
        }
        self.file = nil
        try await self.files.complete(file)
        let attachment = NewAttachment(
            name: AttachmentName.clean(self.name, type: type), type: type, size: Int64(self.size),
            sha256: file.sha256, file: file.name)
        return Upload(field: self.field, content: .received(attachment))
    }

    /// The rest will not come, or is of no interest.
    mutating func abandon() async {
        self.waiting = []
        guard let file = self.file else { return }
        self.file = nil
        await self.files.abandon(file)
    }

    private var isRefused: Bool { self.refusal.isNoFile || self.refusal.isTooLarge || self.refusal.isOfWrongType }

    private mutating func write() async throws {
        guard !self.waiting.isEmpty else { return }
        let piece = self.waiting
        self.waiting = []
        if self.file == nil {
            // The first piece has all bytes that tell the type.
            self.type = AttachmentType(sniffing: piece)
            guard self.type != nil else {
                self.refusal.isOfWrongType = true
                return
            }
        }
        let file = self.file
        self.file = nil
        self.file = try await self.files.append(piece, to: file)
    }
}
