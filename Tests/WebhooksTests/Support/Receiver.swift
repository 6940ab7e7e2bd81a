import NIOCore
import NIOHTTP1
import NIOPosix
import Synchronization

/// An HTTP server that keeps what it is sent and answers as told.
final class Receiver: Sendable {
    struct Request: Sendable {
        let path: String
        let headers: [(name: String, value: String)]
        let body: String
        let arrival: ContinuousClock.Instant

        func values(_ name: String) -> [String] {
            self.headers.filter { $0.name.lowercased() == name.lowercased() }.map(\.value)
        }
    }

    enum Answer: Sendable {
        case status(Int, headers: [(String, String)] = [], body: String = "")
        /// The head of a 200, and a body that never ends.
        case endless
        case silence
        case close
    }

    private struct State {
        var requests: [Request] = []
        var answer: @Sendable (Request, Int) -> Answer
        var waiters: [(count: Int, continuation: CheckedContinuation<Void, Never>)] = []
    }

    private let state: Mutex<State>
    let port: Int

    /// - Parameter answer: is given each request and how many came before it.
    init(
        host: String = "127.0.0.1", port: Int = 0,
        answer: @escaping @Sendable (Request, Int) -> Answer = { _, _ in .status(200) }
    ) async throws {
        let box = Box()
        self.state = Mutex(State(answer: answer))
        let listener = try await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.configureHTTPServerPipeline()
                    try channel.pipeline.syncOperations.addHandler(Recorder(box: box))
                }
            }
            .bind(host: host, port: port).get()
        self.port = listener.localAddress?.port ?? 0
        box.receiver.withLock { $0 = self }
    }

    var url: String { "http://127.0.0.1:\(self.port)/hooks" }
    var requests: [Request] { self.state.withLock { $0.requests } }

    func answer(_ answer: @escaping @Sendable (Request, Int) -> Answer) {
        self.state.withLock { $0.answer = answer }
    }

    /// The requests, once there are so many; ends early when the test's time limit cancels it.
    func requests(_ count: Int) async -> [Request] {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isOver = self.state.withLock { state in
                    if state.requests.count >= count || Task.isCancelled { return true }
                    state.waiters.append((count, continuation))
                    return false
                }
                if isOver { continuation.resume() }
            }
        } onCancel: {
            for waiter in self.takeWaiters(where: { _ in true }) { waiter.resume() }
        }
        return self.requests
    }

    fileprivate func receive(_ request: Request) -> Answer {
        let answer = self.state.withLock { state in
            state.requests.append(request)
            return state.answer(request, state.requests.count - 1)
        }
        let count = self.requests.count
        for waiter in self.takeWaiters(where: { $0 <= count }) { waiter.resume() }
        return answer
    }

    private func takeWaiters(where isOver: (Int) -> Bool) -> [CheckedContinuation<Void, Never>] {
        self.state.withLock { state in
            let taken = state.waiters.filter { isOver($0.count) }.map(\.continuation)
            state.waiters.removeAll { isOver($0.count) }
            return taken
        }
    }

    /// How the connections find the receiver, which is made after its listener.
    fileprivate final class Box: Sendable {
        let receiver = Mutex<Receiver?>(nil)
    }
}

private final class Recorder: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private let box: Receiver.Box
    private var head: HTTPRequestHead?
    private var body = ""

    init(box: Receiver.Box) {
        self.box = box
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch self.unwrapInboundIn(data) {
        case .head(let head):
            self.head = head
            self.body = ""
        case .body(let bytes): self.body += String(buffer: bytes)
        case .end:
            guard let head, let receiver = self.box.receiver.withLock({ $0 }) else { return }
            let request = Receiver.Request(
                path: head.uri, headers: head.headers.map { ($0.name, $0.value) }, body: self.body, arrival: .now)
            self.write(receiver.receive(request), context: context)
        }
    }

    private func write(_ answer: Receiver.Answer, context: ChannelHandlerContext) {
        switch answer {
        case .silence: break
        case .close: context.close(promise: nil)
        case .endless:
            let head = HTTPResponseHead(version: .http1_1, status: .ok, headers: ["Transfer-Encoding": "chunked"])
            context.write(self.wrapOutboundOut(.head(head)), promise: nil)
            context.writeAndFlush(self.wrapOutboundOut(.body(.byteBuffer(ByteBuffer(string: "a")))), promise: nil)
        case .status(let status, let headers, let body):
            var fields = HTTPHeaders(headers)
            fields.replaceOrAdd(name: "Content-Length", value: "\(body.utf8.count)")
            let head = HTTPResponseHead(version: .http1_1, status: .init(statusCode: status), headers: fields)
            context.write(self.wrapOutboundOut(.head(head)), promise: nil)
            context.write(self.wrapOutboundOut(.body(.byteBuffer(ByteBuffer(string: body)))), promise: nil)
            context.writeAndFlush(self.wrapOutboundOut(.end(nil)), promise: nil)
        }
    }
}
