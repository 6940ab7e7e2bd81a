internal import CEpoll
import Addresses
import Glibc
import Logging
import NIOCore

/// A connected socket on an `EpollLoop`.
///
/// What is read goes through a buffer of the loop's, so an idle connection has none. A peer that ends its own half ends
/// the connection: nobody is left to hear anything.
final class SocketTransport: EventSource, Transport {
    private let loop: EpollLoop
    private let connection: Connection
    private var socket: CInt?
    /// What is being written.
    private var outgoing = ByteBuffer()

    /// Takes a socket over, which does not block, and opens its connection.
    static func open(_ socket: CInt, on loop: EpollLoop, context: LoopContext) {
        let transport = SocketTransport(socket, on: loop, connection: Connection(loop: context))
        do {
            try loop.add(socket, transport)
        } catch {
            context.logger.warning("A connection was not taken", metadata: ["error": "\(error)"])
            Glibc.close(socket)
            return
        }
        transport.connection.opened(by: transport)
    }

    private init(_ socket: CInt, on loop: EpollLoop, connection: Connection) {
        self.socket = socket
        self.loop = loop
        self.connection = connection
    }

    func ready(_ events: UInt32) {
        if events & EPOLLOUT.rawValue != 0 { self.writeMore() }
        // Failures are read like an end.
        if events & ~EPOLLOUT.rawValue != 0 { self.read() }
    }

    private func read() {
        guard let socket else { return }
        let buffer = self.connection.loop.input
        let count = recv(socket, buffer.baseAddress, buffer.count, 0)
        if count > 0 {
            self.connection.received(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
        } else if count == 0 {
            self.close()
        } else if errno != EAGAIN, errno != EINTR {
            self.connection.failed(IOError(errnoCode: errno, reason: "recv"))
        }
    }

    // MARK: Transport

    var descriptor: CInt? { self.socket }
    var usesTLS: Bool { false }

    var peer: IPAddress? {
        guard let socket else { return nil }
        var storage = sockaddr_storage()
        return withUnsafeMutableBytes(of: &storage) { bytes in
            var length = socklen_t(bytes.count)
            let address = bytes.baseAddress?.assumingMemoryBound(to: sockaddr.self)
            guard getpeername(socket, address, &length) == 0 else { return nil }
            // Where Linux's `sockaddr_in` and `sockaddr_in6` have the address.
            let place = CInt(bytes.load(as: sa_family_t.self)) == AF_INET6 ? 8..<24 : 4..<8
            return IPAddress(UnsafeRawBufferPointer(rebasing: bytes[place]))
        }
    }

    var unsentBytes: Int { self.outgoing.readableBytes + (self.socket.map(bytesInKernel) ?? 0) }

    func write(_ buffer: ByteBuffer) {
        guard let socket else { return }
        self.outgoing = buffer
        self.loop.watch(socket, EPOLLIN.rawValue | EPOLLOUT.rawValue)
    }

    private func writeMore() {
        guard let socket, self.outgoing.readableBytes > 0 else { return }
        let sent = self.outgoing.withUnsafeReadableBytes { bytes in
            send(socket, bytes.baseAddress, bytes.count, CInt(MSG_NOSIGNAL) | CInt(MSG_DONTWAIT))
        }
        // A failure is reported again as one, and read.
        guard sent > 0 else { return }
        self.outgoing.moveReaderIndex(forwardBy: sent)
        guard self.outgoing.readableBytes == 0 else { return }
        self.outgoing = ByteBuffer()
        self.connection.written()
        // Unless there was more.
        if self.outgoing.readableBytes == 0, let socket = self.socket { self.loop.watch(socket, EPOLLIN.rawValue) }
    }

    func closeOutput() {
        if let socket { shutdown(socket, CInt(SHUT_WR)) }
    }

    func closePolitely() { self.close() }

    func close() {
        guard let socket else { return }
        self.socket = nil
        self.outgoing = ByteBuffer()
        self.loop.close(socket)
        self.connection.ended()
    }
}
