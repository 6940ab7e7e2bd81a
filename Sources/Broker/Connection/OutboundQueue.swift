import Glibc
import NIOCore

/// What is on its way to one peer. A value of its connection, touched on its loop only.
///
/// While nothing waits, bytes go straight to the socket: NIO's own write path costs several times the work. What the
/// socket does not take is kept here, in order, and written through NIO, which knows when there is room again.
struct OutboundQueue {
    enum SendResult: Equatable {
        /// All is with the kernel, or behind what waits already.
        case done
        /// Bytes wait that nobody writes yet: call `next` and write what it returns.
        case mustWrite
        /// More would wait than the peer may have.
        case full
        /// The peer has gone.
        case broken
    }

    /// The socket, for as long as its channel is open; nil where there is none, and then all goes through NIO.
    private var descriptor: CInt?
    /// Whole messages that wait, except that the first may be the rest of one.
    private var waiting = ByteBuffer()
    /// Bytes that NIO has been given and has not written.
    private var beingWritten = 0

    init(descriptor: CInt?) {
        self.descriptor = descriptor
    }

    var isEmpty: Bool { self.beingWritten == 0 && self.waiting.readableBytes == 0 }

    /// Bytes that NIO has not been given yet.
    var waitingBytes: Int { self.waiting.readableBytes }

    /// Sends bytes behind all that were sent before. `limit` is how many bytes may wait.
    mutating func send(_ bytes: UnsafeRawBufferPointer, limit: Int) -> SendResult {
        var rest = bytes
        if self.isEmpty, let descriptor {
            let sent = Glibc.send(
                descriptor, bytes.baseAddress, bytes.count, CInt(MSG_NOSIGNAL) | CInt(MSG_DONTWAIT))
            if sent == bytes.count { return .done }
            if sent >= 0 {
                rest = UnsafeRawBufferPointer(rebasing: bytes[sent...])
            } else if errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR {
                return .broken
            }
        }
        // What comes when nothing waits is taken whole, whatever its size: the socket may have its beginning already.
        let mustWrite = self.isEmpty
        guard mustWrite || self.beingWritten + self.waiting.readableBytes + rest.count <= limit else { return .full }
        self.waiting.writeBytes(rest)
        return mustWrite ? .mustWrite : .done
    }

    /// What to write now; nil when nothing waits. `written` is to be called when it has been.
    mutating func next() -> ByteBuffer? {
        guard self.waiting.readableBytes > 0 else { return nil }
        var buffer = ByteBuffer()
        swap(&buffer, &self.waiting)
        self.beingWritten = buffer.readableBytes
        return buffer
    }

    mutating func written() {
        self.beingWritten = 0
    }

    /// Gives up the messages that wait, but not what is being written.
    mutating func dropWaiting() {
        if self.beingWritten > 0 { self.waiting = ByteBuffer() }
    }

    /// The channel has closed; its descriptor may be somebody else's now.
    mutating func close() {
        self.descriptor = nil
        self.waiting = ByteBuffer()
    }
}
