import Addresses
import NIOCore
import NIOPosix

/// One of NIO's channels, which carry the connections of a broker that has a certificate. Behind `TransportDetector`
/// and, if that finds TLS, NIO's handler for it, this is the only handler.
final class ChannelTransport: ChannelInboundHandler, Transport {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// How much is read at once. The buffer stays with the channel, so it is what an idle client costs: a browser's
    /// handshake takes two or three of the smallest, which is enough for the messages of clients.
    static let readAllocator = AdaptiveRecvByteBufferAllocator(minimum: 256, initial: 256, maximum: 16 * 1024)

    private let connection: Connection
    private var context: ChannelHandlerContext?
    /// The TLS handler's; nil for a plain connection.
    private var tls: ChannelHandlerContext?
    private(set) var descriptor: CInt?

    init(connection: Connection) {
        self.connection = connection
    }

    // MARK: Channel events

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
        self.tls = nil
    }

    func channelActive(context: ChannelHandlerContext) {
        self.connection.opened(by: self)
        context.fireChannelActive()
    }

    /// Nothing stands between this handler and the socket.
    func beginPlain() {
        // Fails only for a socket that is closed already, and then nothing is sent.
        self.descriptor = try? self.withSocket { $0 }
        self.connection.descriptorFound()
    }

    /// A TLS handler stands between this one and the socket: whatever is read from now on has come by TLS.
    func beginTLS(above tls: ChannelHandlerContext) {
        self.tls = tls
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        self.unwrapInboundIn(data).withUnsafeReadableBytes { self.connection.received($0) }
    }

    func channelInactive(context: ChannelHandlerContext) {
        self.descriptor = nil
        self.connection.ended()
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // TLS has something to say about a missing goodbye and about a cut too, when the end has come already.
        guard context.channel.isActive else { return }
        self.connection.failed(error)
    }

    private func withSocket<Result>(_ body: (CInt) throws -> Result) throws -> Result? {
        try self.context?.pipeline.syncOperations.withUnsafeTransportIfAvailable(
            of: NIOBSDSocket.Handle.self, body)
    }

    // MARK: Transport

    var usesTLS: Bool { self.tls != nil }
    var peer: IPAddress? { self.context?.remoteAddress.flatMap { IPAddress($0) } }

    var unsentBytes: Int {
        // Both fail only when the channel has closed.
        let inNIO = try? self.context?.channel.syncOptions?.getOption(.bufferedWritableBytes)
        let inKernel = try? self.withSocket(bytesInKernel)
        return (inNIO ?? 0) + (inKernel ?? 0)
    }

    func write(_ buffer: ByteBuffer) {
        guard let context else { return }
        let promise = context.eventLoop.makePromise(of: Void.self)
        promise.futureResult.assumeIsolated().whenComplete { _ in
            // A failed write closes the channel, which `channelInactive` reports.
            self.connection.written()
        }
        context.writeAndFlush(self.wrapOutboundOut(buffer), promise: promise)
    }

    func closeOutput() {
        self.context?.close(mode: .output, promise: nil)
    }

    func closePolitely() {
        self.context?.close(promise: nil)
    }

    /// Under TLS too: the handler for that would wait for the peer to agree.
    func close() {
        (self.tls ?? self.context)?.close(promise: nil)
    }
}
