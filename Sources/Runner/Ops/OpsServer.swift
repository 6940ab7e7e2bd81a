import NIOCore
import NIOHTTP1
import NIOPosix
import PusherPublisher
import ServiceLifecycle
import Telemetry

/// The port for operators: `/metrics`, `/live`, `/ready` and `/up`.
///
/// A thread of its own answers, from what others have left to be read, and waits for nobody: whatever is stuck elsewhere,
/// it can say so. It asks for no credentials and is meant for the machine itself or a private network.
final class OpsServer: Service {
    /// The port it listens on; the real one when the setting said 0.
    let port: Int

    private let listener: any Channel
    private let group: MultiThreadedEventLoopGroup

    private init(listener: any Channel, group: MultiThreadedEventLoopGroup, port: Int) {
        self.listener = listener
        self.group = group
        self.port = listener.localAddress?.port ?? port
    }

    /// Answers from here on.
    /// - Parameter metrics: the whole text; called on the server's thread, where it must not wait.
    static func bind(
        host: String, port: Int, health: Health, metrics: @escaping @Sendable () -> String
    ) async throws -> OpsServer {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        do {
            let listener = try await ServerBootstrap(group: group)
                .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
                .childChannelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        let pipeline = channel.pipeline.syncOperations
                        try pipeline.addHandler(IdleStateHandler(readTimeout: OpsHandler.patience))
                        try pipeline.configureHTTPServerPipeline(withErrorHandling: true)
                        try pipeline.addHandler(OpsHandler(health: health, metrics: metrics))
                    }
                }
                .bind(host: host, port: port).get()
            return OpsServer(listener: listener, group: group, port: port)
        } catch {
            try await group.shutdownGracefully()
            throw error
        }
    }

    /// Answers until graceful shutdown or cancellation.
    func run() async throws {
        // Throws when the group is cancelled because another service failed: that is an end, too.
        try? await gracefulShutdown()
        try await self.group.shutdownGracefully()
    }
}

/// What an operator's request is answered.
struct OpsAnswer: Sendable {
    let status: HTTPResponseStatus
    let contentType: String
    let body: String

    static func json(_ status: HTTPResponseStatus, _ json: JSON) -> OpsAnswer {
        OpsAnswer(status: status, contentType: "application/json", body: json.text + "\n")
    }
}

/// Answers one connection's requests. Confined to its loop.
private final class OpsHandler: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    /// How long a connection may be silent: longer than Prometheus' usual minute between scrapes.
    static let patience = TimeAmount.seconds(90)

    private let health: Health
    private let metrics: @Sendable () -> String
    private var head: HTTPRequestHead?

    init(health: Health, metrics: @escaping @Sendable () -> String) {
        self.health = health
        self.metrics = metrics
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch self.unwrapInboundIn(data) {
        case .head(let head): self.head = head
        // Nothing here takes a body: it is read over.
        case .body: break
        case .end:
            guard let head = self.head else { return }
            self.head = nil
            self.write(self.answer(to: head), to: head, context: context)
        }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event is IdleStateHandler.IdleStateEvent { context.close(promise: nil) }
        context.fireUserInboundEventTriggered(event)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }

    private func answer(to head: HTTPRequestHead) -> OpsAnswer {
        guard head.method == .GET || head.method == .HEAD else {
            return .json(.methodNotAllowed, ["message": "Only GET and HEAD are allowed here."])
        }
        switch head.uri.prefix(while: { $0 != "?" }) {
        case "/metrics": return OpsAnswer(status: .ok, contentType: MetricsText.contentType, body: self.metrics())
        case "/live": return self.health.live
        case "/ready": return self.health.ready
        case "/up": return .json(.ok, ["status": "up"])
        default: return .json(.notFound, ["message": "There are /metrics, /live, /ready and /up."])
        }
    }

    private func write(_ answer: OpsAnswer, to head: HTTPRequestHead, context: ChannelHandlerContext) {
        var fields: HTTPHeaders = [
            "Content-Type": answer.contentType, "Content-Length": "\(answer.body.utf8.count)",
            "Cache-Control": "no-store",
        ]
        if answer.status == .methodNotAllowed { fields.add(name: "Allow", value: "GET, HEAD") }
        if !head.isKeepAlive { fields.add(name: "Connection", value: "close") }
        context.write(
            self.wrapOutboundOut(.head(HTTPResponseHead(version: .http1_1, status: answer.status, headers: fields))),
            promise: nil)
        if head.method != .HEAD {
            context.write(self.wrapOutboundOut(.body(.byteBuffer(ByteBuffer(string: answer.body)))), promise: nil)
        }
        let written = context.eventLoop.makePromise(of: Void.self)
        if !head.isKeepAlive {
            let channel = context.channel
            written.futureResult.whenComplete { _ in channel.close(promise: nil) }
        }
        context.writeAndFlush(self.wrapOutboundOut(.end(nil)), promise: written)
    }
}
