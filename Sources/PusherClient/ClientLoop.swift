package import NIOCore

/// What all client connections of one event loop share. Confined to its loop.
package final class ClientLoop {
    package let eventLoop: any EventLoop
    /// The largest message that a server may send, in bytes.
    let maxMessageBytes: Int
    /// Joined fragments of the message that is being read.
    let scratch: UnsafeMutableRawBufferPointer

    /// Call on the loop.
    package init(_ eventLoop: any EventLoop, maxMessageBytes: Int = 4 << 20) {
        eventLoop.preconditionInEventLoop()
        self.eventLoop = eventLoop
        self.maxMessageBytes = maxMessageBytes
        // The pages of it that are never written to cost nothing.
        self.scratch = .allocate(byteCount: max(maxMessageBytes, 125), alignment: 8)
    }

    deinit { self.scratch.deallocate() }
}
