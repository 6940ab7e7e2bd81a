internal import Glibc
internal import NIOCore

/// An attachment that is being read; closed when nobody holds it any more.
final class OpenFile: Sendable {
    private let descriptor: CInt

    init(path: String, size: Int64) throws {
        self.descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        guard self.descriptor >= 0 else { throw FileFailure("open an attachment") }
        let end = Int64(lseek(self.descriptor, 0, SEEK_END))
        guard end >= 0 else { throw FileFailure("look at an attachment") }
        guard end == size else {
            throw FileFailure(reason: "An attachment has \(end) bytes on disk instead of \(size).")
        }
    }

    deinit {
        if self.descriptor >= 0 { close(self.descriptor) }
    }

    /// Blocks.
    func read(at offset: Int64, count: Int) throws -> ByteBuffer {
        var buffer = ByteBufferAllocator().buffer(capacity: count)
        while buffer.readableBytes < count {
            let missing = count - buffer.readableBytes
            let position = offset + Int64(buffer.readableBytes)
            let read = try buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: missing) { bytes in
                while true {
                    let count = pread(self.descriptor, bytes.baseAddress, missing, off_t(position))
                    if count >= 0 { return count }
                    guard errno == EINTR else { throw FileFailure("read an attachment") }
                }
            }
            guard read > 0 else { throw FileFailure(reason: "An attachment ends too early.") }
        }
        return buffer
    }
}
