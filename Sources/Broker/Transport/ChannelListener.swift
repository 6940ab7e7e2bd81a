import NIOCore
import NIOPosix

/// Accepts connections on NIO's event loops.
enum ChannelListener {
    /// - Parameter loops: those of `group`, in its order.
    /// - Throws: an `IOError` when the address cannot be listened on.
    static func open(
        host: String, port: Int, group: MultiThreadedEventLoopGroup, loops: [NIOLoopBound<LoopContext>]
    ) async throws -> Listening {
        let loopOf = Dictionary(
            uniqueKeysWithValues: zip(group.makeIterator().map { ObjectIdentifier($0) }, loops))
        let channel = try await ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: 4096)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .serverChannelOption(.maxMessagesPerRead, value: 64)
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .childChannelOption(.maxMessagesPerRead, value: 1)
            .childChannelOption(.recvAllocator, value: ChannelTransport.readAllocator)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    guard let loop = loopOf[ObjectIdentifier(channel.eventLoop)]?.value, let tls = loop.tls else {
                        throw ChannelError.inputClosed
                    }
                    let transport = ChannelTransport(connection: Connection(loop: loop))
                    let pipeline = channel.pipeline.syncOperations
                    try pipeline.addHandler(TransportDetector(tls: tls.context, transport: transport))
                    try pipeline.addHandler(transport)
                }
            }
            .bind(host: host, port: port)
            .get()
        return Listening(port: channel.localAddress?.port ?? port, closed: channel.closeFuture) {
            channel.close(promise: nil)
        }
    }
}
