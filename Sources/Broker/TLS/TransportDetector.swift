import NIOCore
import NIOSSL

/// Finds out by a connection's first byte whether it begins with a TLS handshake, sets up its channel accordingly, and
/// leaves. Stands in front of `Connection` when the broker has a certificate, and nowhere else.
///
/// It has no deadline of its own: the one of the first request head runs from connecting.
final class TransportDetector: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer

    /// The content type of a TLS handshake record (RFC 8446 section 5.1). No HTTP method begins with it.
    private static let handshakeRecord: UInt8 = 0x16

    private let tls: NIOSSLContext
    private let connection: Connection

    init(tls: NIOSSLContext, connection: Connection) {
        self.tls = tls
        self.connection = connection
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let pipeline = context.pipeline.syncOperations
        if self.unwrapInboundIn(data).readableBytesView.first == Self.handshakeRecord {
            let handler = NIOSSLServerHandler(context: self.tls)
            do {
                try pipeline.addHandler(handler, position: .after(self))
                self.connection.beginTLS(above: try pipeline.context(handler: handler))
            } catch {
                // The channel has closed in the meantime.
                return context.close(promise: nil)
            }
        } else {
            self.connection.beginPlain()
        }
        context.fireChannelRead(data)
        pipeline.removeHandler(context: context, promise: nil)
    }
}
