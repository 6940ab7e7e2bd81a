import NIOCore
import NIOSSL

/// Finds out by a connection's first byte whether it begins with a TLS handshake, sets up its channel accordingly, and
/// leaves. Stands in front of `ChannelTransport`.
///
/// It has no deadline of its own: the one of the first request head runs from connecting.
final class TransportDetector: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer

    /// The content type of a TLS handshake record (RFC 8446 section 5.1). No HTTP method begins with it.
    private static let handshakeRecord: UInt8 = 0x16

    private let tls: NIOSSLContext
    private let transport: ChannelTransport

    init(tls: NIOSSLContext, transport: ChannelTransport) {
        self.tls = tls
        self.transport = transport
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let pipeline = context.pipeline.syncOperations
        if self.unwrapInboundIn(data).readableBytesView.first == Self.handshakeRecord {
            let handler = NIOSSLServerHandler(context: self.tls)
            do {
                try pipeline.addHandler(handler, position: .after(self))
                self.transport.beginTLS(above: try pipeline.context(handler: handler))
            } catch {
                // The channel has closed in the meantime.
                return context.close(promise: nil)
            }
        } else {
            self.transport.beginPlain()
        }
        context.fireChannelRead(data)
        pipeline.removeHandler(context: context, promise: nil)
    }
}
