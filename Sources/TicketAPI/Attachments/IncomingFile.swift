internal import Digests
internal import Glibc

/// A file while it is received: hashed as it is written. A value; whoever has the last one completes or abandons it.
/// Its methods block.
struct IncomingFile: Sendable {
    /// Behind the name until the file is kept.
    static let suffix = ".part"

    let name: String
    private let path: String
    private let descriptor: CInt
    private var hash = RunningSHA256()

    var sha256: Digest32 { self.hash.digest }

    init(in directory: String) throws {
        self.name = try RandomBytes.alphanumeric(32)
        self.path = "\(directory)/\(self.name)\(Self.suffix)"
        self.descriptor = open(self.path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard self.descriptor >= 0 else { throw FileFailure("create an attachment") }
    }

    /// Whether a file can have been called so by `init`.
    static func isName(_ text: String) -> Bool {
        text.utf8.count == 32
            && text.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"):
                    true
                default: false
                }
            }
    }

    mutating func append(_ bytes: [UInt8]) throws {
        do {
            try bytes.withUnsafeBytes { bytes in
                var rest = bytes
                while !rest.isEmpty {
                    let count = write(self.descriptor, rest.baseAddress, rest.count)
                    if count < 0, errno == EINTR { continue }
                    guard count > 0 else { throw FileFailure("write an attachment") }
                    rest = UnsafeRawBufferPointer(rebasing: rest[count...])
                }
                self.hash.update(bytes)
            }
        } catch {
            self.abandon()
            throw error
        }
    }

    func complete() throws {
        guard fsync(self.descriptor) == 0 else {
            let failure = FileFailure("sync an attachment")
            self.abandon()
            throw failure
        }
        close(self.descriptor)
    }

    func abandon() {
        close(self.descriptor)
        unlink(self.path)
    }
}
