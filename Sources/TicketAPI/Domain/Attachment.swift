internal import Digests

/// A file that a ticket or a message carries, as its readers are told of it.
struct Attachment: Sendable {
    let id: Int64
    let name: String
    let type: AttachmentType
    /// In bytes.
    let size: Int64

    /// The most of them in one request.
    static let maxPerRequest = 5
    /// The largest, in bytes: 2,048 KiB.
    static let maxBytes = 2048 * 1024
}

/// A file that was received, looked at and brought to the disk, and that no ticket has yet.
struct NewAttachment: Sendable {
    let name: String
    let type: AttachmentType
    let size: Int64
    let sha256: Digest32
    /// Its name in the directory of attachments: 32 random letters and digits.
    let file: String
}

/// A ticket's file, for whoever may read it.
struct StoredAttachment: Sendable {
    let ticketID: Int64
    let attachment: Attachment
    let sha256: [UInt8]
    let file: String
}
