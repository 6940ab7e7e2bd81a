internal import NIOCore
internal import NIOPosix
internal import PusherClient
internal import Wire

/// A keep-alive connection to an HTTP/1.1 server: one request after another. Confined to its loop.
///
/// Opens itself when there is a request and no connection. A request is never sent twice.
final class HTTPConnection: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    struct Answer: Equatable {
        let status: Int
        /// The start of the body.
        let body: String
    }

    private struct Pending {
        let request: ByteBuffer
        let done: (Result<Answer, PusherClientFailure>) -> Void
    }

    private static let maxAnswer = 1 << 20

    private let endpoint: PusherEndpoint
    private let address: SocketAddress?
    private let eventLoop: any EventLoop
    private var context: ChannelHandlerContext?
    private var pending: Pending?
    /// What a request has come to whose connection is being closed.
    private var result: Result<Answer, PusherClientFailure>?
    private var received = ByteBuffer()
    private var searched = 0

    init(endpoint: PusherEndpoint, address: SocketAddress?, eventLoop: any EventLoop) {
        self.endpoint = endpoint
        self.address = address
        self.eventLoop = eventLoop
    }

    /// Sends a request; only when the one before has been answered.
    func send(_ head: String, body: [UInt8], _ done: @escaping (Result<Answer, PusherClientFailure>) -> Void) {
        var request = ByteBufferAllocator().buffer(capacity: head.utf8.count + body.count)
        request.writeString(head)
        request.writeBytes(body)
        self.pending = Pending(request: request, done: done)
        if let context {
            context.writeAndFlush(self.wrapOutboundOut(request), promise: nil)
        } else {
            self.connect()
        }
    }

    func close() {
        self.context?.close(promise: nil)
    }

    private func connect() {
        let bootstrap = ClientBootstrap(group: self.eventLoop)
            .connectTimeout(PusherConnection.patience)
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .channelOption(.maxMessagesPerRead, value: 1)
            .channelOption(.recvAllocator, value: FixedSizeRecvByteBufferAllocator(capacity: 4096))
        let channel =
            self.address.map { bootstrap.connect(to: $0) }
            ?? bootstrap.connect(host: self.endpoint.host, port: self.endpoint.port)
        channel.assumeIsolated().whenComplete { result in
            switch result {
            case .success(let channel):
                do {
                    try self.endpoint.tls?.begin(on: channel, host: self.endpoint.host)
                    try channel.pipeline.syncOperations.addHandler(self)
                    guard let request = self.pending?.request else { return }
                    self.context?.writeAndFlush(self.wrapOutboundOut(request), promise: nil)
                } catch {
                    channel.close(promise: nil)
                    self.finish(.failure(PusherClientFailure(error, at: .connecting)))
                }
            case .failure(let error): self.finish(.failure(PusherClientFailure(error, at: .connecting)))
            }
        }
    }

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        self.received.writeImmutableBuffer(self.unwrapInboundIn(data))
        self.readAnswer(isEnd: false)
    }

    func channelInactive(context: ChannelHandlerContext) {
        self.context = nil
        if self.result == nil { self.readAnswer(isEnd: true) }
        self.finish(self.result ?? .failure(.cut(.established, errno: 0)))
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        self.finishWhenClosed(.failure(PusherClientFailure(error, at: .established)))
    }

    /// Ends the request when its answer is whole. Interim answers are read over.
    private func readAnswer(isEnd: Bool) {
        guard self.pending != nil, self.result == nil else { return self.received.clear() }
        let found: Int?
        do {
            found = try self.received.withUnsafeReadableBytes {
                try HTTPRequestHead.length(in: $0, searched: self.searched)
            }
        } catch {
            return self.fail()
        }
        self.searched = self.received.readableBytes
        guard let length = found else { return }
        let head = self.received.withUnsafeReadableBytes { HTTPResponseHead(parsing: .init(rebasing: $0[..<length])) }
        guard let head else { return self.fail() }
        var rest = self.received
        rest.moveReaderIndex(forwardBy: length)
        if (100..<200).contains(head.status) {
            self.received = rest
            self.searched = 0
            return self.readAnswer(isEnd: isEnd)
        }
        guard let body = self.body(of: head, in: rest, isEnd: isEnd) else {
            return self.received.readableBytes > Self.maxAnswer ? self.fail() : ()
        }
        let text = head.status < 300 ? "" : String(decoding: body.prefix(200), as: UTF8.self)
        let answer = Answer(status: head.status, body: text)
        if head["connection"]?.lowercased() == "close" {
            self.finishWhenClosed(.success(answer))
        } else {
            self.finish(.success(answer))
        }
    }

    /// The body when it is whole (RFC 9112 section 6.3).
    private func body(of head: HTTPResponseHead, in rest: ByteBuffer, isEnd: Bool) -> [UInt8]? {
        if head.status == 204 || head.status == 304 { return [] }
        if head["transfer-encoding"]?.lowercased() == "chunked" {
            var (chunks, body) = (ChunkedBody(maxBytes: Self.maxAnswer), [UInt8]())
            // Chunks that are not well-formed never become whole, and end with the connection.
            _ = try? rest.withUnsafeReadableBytes { try chunks.decode($0, appendingTo: &body) }
            return chunks.isDone ? body : nil
        }
        if let length = head["content-length"].flatMap({ Int($0) }) {
            return rest.readableBytes >= length ? Array(rest.readableBytesView.prefix(length)) : nil
        }
        return isEnd ? Array(rest.readableBytesView) : nil
    }

    private func fail() {
        self.finishWhenClosed(
            .failure(.notHTTP(String(decoding: self.received.readableBytesView.prefix(200), as: UTF8.self))))
    }

    /// Nothing more can come of this connection; the next request will have another.
    private func finishWhenClosed(_ result: Result<Answer, PusherClientFailure>) {
        self.result = result
        if let context { context.close(promise: nil) } else { self.finish(result) }
    }

    private func finish(_ result: Result<Answer, PusherClientFailure>) {
        let pending = self.pending
        self.pending = nil
        self.result = nil
        self.received.clear()
        self.searched = 0
        pending?.done(result)
    }
}
