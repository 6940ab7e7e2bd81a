import Digests
import NIOCore
import NIOPosix
import PusherClient

/// A server that answers as a test tells it to, right or wrong, on a free port of the loopback interface.
struct ScriptedServer: Sendable {
    /// What is sent once the request has come, or at once, and whether the connection is closed behind it.
    struct Answer: Sendable {
        var bytes: [UInt8]
        var closes = true

        init(_ text: String, closes: Bool = true) {
            self.bytes = Array(text.utf8)
            self.closes = closes
        }

        /// A right upgrade, and frames behind it.
        static func upgrade(_ request: String, frames: [[UInt8]], closes: Bool = false) -> Answer {
            let nonce = request.split(separator: "\r\n").first { $0.hasPrefix("Sec-WebSocket-Key: ") }?.dropFirst(19)
            var answer = Answer(
                "HTTP/1.1 101 Switching Protocols\r\nconnection: keep-alive, Upgrade\r\nupgrade: WebSocket\r\n"
                    + "sec-websocket-accept: \(SHA1.webSocketAccept(String(nonce ?? "")))\r\n\r\n", closes: closes)
            answer.bytes += frames.flatMap { $0 }
            return answer
        }
    }

    private final class Handler: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        private let answer: @Sendable (String) -> Answer
        private let received: AsyncStream<[UInt8]>.Continuation
        private var request = ""
        private var isAnswered = false

        init(_ answer: @escaping @Sendable (String) -> Answer, received: AsyncStream<[UInt8]>.Continuation) {
            self.answer = answer
            self.received = received
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            let buffer = self.unwrapInboundIn(data)
            guard !self.isAnswered else {
                self.received.yield(Array(buffer.readableBytesView))
                return
            }
            self.request += String(buffer: buffer)
            guard self.request.contains("\r\n\r\n") else { return }
            self.isAnswered = true
            let answer = self.answer(self.request)
            let channel = context.channel
            channel.writeAndFlush(ByteBuffer(bytes: answer.bytes)).whenComplete { _ in
                if answer.closes { channel.close(promise: nil) }
            }
        }

        func channelInactive(context: ChannelHandlerContext) {
            self.received.finish()
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) {
            context.close(promise: nil)
        }
    }

    let endpoint: PusherEndpoint
    /// What one client sends behind its request, until it closes.
    let received: AsyncStream<[UInt8]>

    /// Runs a server around `body`.
    static func run<Result: Sendable>(
        _ answer: @escaping @Sendable (String) -> Answer,
        _ body: @Sendable (ScriptedServer) async throws -> Result
    ) async throws -> Result {
        let (received, continuation) = AsyncStream.makeStream(of: [UInt8].self)
        let listener = try await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(Handler(answer, received: continuation))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        let endpoint = PusherEndpoint(
            host: "127.0.0.1", port: listener.localAddress?.port ?? 0, tls: nil, key: "key", client: "test",
            version: "1")
        do {
            let result = try await body(ScriptedServer(endpoint: endpoint, received: received))
            try await listener.close()
            return result
        } catch {
            try await listener.close()
            throw error
        }
    }
}

/// An unmasked frame. `first` is its first byte.
func serverFrame(_ first: UInt8, _ payload: [UInt8]) -> [UInt8] {
    let length =
        payload.count < 126 ? [UInt8(payload.count)] : [126, UInt8(payload.count >> 8), UInt8(payload.count & 255)]
    return [first] + length + payload
}

/// A whole text message.
func textFrame(_ text: String) -> [UInt8] { serverFrame(0x81, Array(text.utf8)) }
