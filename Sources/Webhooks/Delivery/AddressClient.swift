internal import AsyncHTTPClient
internal import NIOCore
internal import Synchronization

/// An HTTP client that reaches a host at one of its addresses; the name stays in the `Host` header, and TLS asks for
/// it and checks the certificate against it. Call `shutdown` before the last reference goes.
final class AddressClient: Sendable {
    let address: String
    let client: HTTPClient
    private let connections: Connections

    private final class Connections: Sendable {
        let open = Atomic(0)
    }

    init(host: String, address: String, answerTime: Duration) {
        var configuration = HTTPClient.Configuration(
            redirectConfiguration: .disallow,
            timeout: .init(connect: .init(answerTime)),
            decompression: .disabled)
        configuration.httpVersion = .http1Only
        configuration.dnsOverride = [host: address]
        // The queue has its own pauses.
        configuration.connectionPool.retryConnectionEstablishment = false
        let connections = Connections()
        configuration.http1_1ConnectionDebugInitializer = { channel in
            connections.open.add(1, ordering: .relaxed)
            channel.closeFuture.whenComplete { _ in connections.open.subtract(1, ordering: .relaxed) }
            return channel.eventLoop.makeSucceededVoidFuture()
        }
        self.address = address
        self.client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
        self.connections = connections
    }

    /// Whether the next request is likely to find a connection.
    var isConnected: Bool { self.connections.open.load(ordering: .relaxed) > 0 }

    /// Closes the connections, without waiting for it. No request may be on its way or follow.
    func shutdown() {
        self.client.shutdown { _ in }
    }
}
