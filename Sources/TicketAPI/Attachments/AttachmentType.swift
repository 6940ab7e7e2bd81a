/// What an attachment may be. Its bytes say so, neither its name nor what its sender declares.
enum AttachmentType: String, Sendable {
    case jpeg = "image/jpeg"
    case png = "image/png"
    case pdf = "application/pdf"

    /// How many bytes of a file are enough to know its type.
    static let sniffedBytes = 24

    var fileExtension: String {
        switch self {
        case .jpeg: ".jpg"
        case .png: ".png"
        case .pdf: ".pdf"
        }
    }

    /// The type of a file that begins with these bytes (`sniffedBytes` of them, or the whole file); nil when it is none
    /// of the three.
    ///
    /// What stands behind is not looked at: a file that is something else as well is never shown as that, because it is
    /// served with its stored type, `nosniff`, a sandbox, and to be saved.
    init?(sniffing bytes: some Collection<UInt8>) {
        let head = Array(bytes.prefix(Self.sniffedBytes))
        if Self.isPNG(head) {
            self = .png
        } else if Self.isJPEG(head) {
            self = .jpeg
        } else if Self.isPDF(head) {
            self = .pdf
        } else {
            return nil
        }
    }

    /// The signature, then a chunk `IHDR` of 13 bytes with a width and a height (PNG, third edition, sections 5.2, 11.2.1).
    private static func isPNG(_ head: [UInt8]) -> Bool {
        let start: [UInt8] = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A, 0, 0, 0, 13, 0x49, 0x48, 0x44, 0x52]
        guard head.count >= 24, head.starts(with: start) else { return false }
        return head[16..<20].contains { $0 != 0 } && head[20..<24].contains { $0 != 0 }
    }

    /// Start of image, then a marker that may follow it (ITU-T T.81 annex B): a frame, a table, an application segment,
    /// a comment.
    private static func isJPEG(_ head: [UInt8]) -> Bool {
        guard head.count >= 4, head.starts(with: [0xFF, 0xD8, 0xFF]) else { return false }
        switch head[3] {
        case 0xC0...0xCF, 0xDB...0xDF, 0xE0...0xEF, 0xFE: return true
        default: return false
        }
    }

    /// `%PDF-` and a version, at the very front (ISO 32000-2 section 7.5.2).
    private static func isPDF(_ head: [UInt8]) -> Bool {
        guard head.count >= 8, head.starts(with: "%PDF-".utf8) else { return false }
        return isDigit(head[5]) && head[6] == UInt8(ascii: ".") && isDigit(head[7])
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }
}
