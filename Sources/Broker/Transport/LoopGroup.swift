import NIOCore
import NIOPosix

/// The broker's event loops and what carries its connections: sockets of our own, or NIO's channels where TLS may be
/// spoken (decision 21).
enum LoopGroup: Sendable {
    case sockets([EpollLoop])
    case channels(MultiThreadedEventLoopGroup)

    /// Throws an `IOError` when the system has no descriptors or threads left.
    init(count: Int, usesTLS: Bool) throws {
        guard !usesTLS else {
            self = .channels(MultiThreadedEventLoopGroup(numberOfThreads: count))
            return
        }
        var loops: [EpollLoop] = []
        do {
            for index in 0..<count { loops.append(try EpollLoop(name: "broker-\(index)")) }
        } catch {
            for loop in loops { loop.shutdownGracefully { _ in } }
            throw error
        }
        self = .sockets(loops)
    }

    var loops: [any EventLoop] {
        switch self {
        case .sockets(let loops): loops
        case .channels(let group): Array(group.makeIterator())
        }
    }

    /// - Parameter contexts: one for each of `loops`.
    /// - Throws: a `SocketAddressError` or `IOError` when the address cannot be listened on.
    func listen(host: String, port: Int, contexts: [NIOLoopBound<LoopContext>]) async throws -> Listening {
        switch self {
        case .sockets(let loops):
            let address = try SocketAddress.makeAddressResolvingHost(host, port: port)
            return try await SocketListener.open(address, places: Array(zip(loops, contexts)))
        case .channels(let group):
            return try await ChannelListener.open(host: host, port: port, group: group, loops: contexts)
        }
    }

    /// Returns when the threads have ended, or are about to.
    func shutDown() async throws {
        switch self {
        case .sockets(let loops): for loop in loops { try await loop.shutdownGracefully() }
        case .channels(let group): try await group.shutdownGracefully()
        }
    }
}
