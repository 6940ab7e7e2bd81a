import Addresses
import BrokerCore
import Glibc
import Logging
import NIOCore
import PusherProtocol
import Wire

/// One accepted socket: first an HTTP/1.1 server, and after an upgrade a Pusher client's WebSocket.
///
/// The only handler of its channel, except under TLS. Owned by its loop; every method runs there.
final class Connection: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// Why a connection could not be written to.
    enum WriteFailure {
        case slowConsumer
        case broken
    }

    enum State {
        case http(HTTPExchange)
        case webSocket(PusherSession)
        /// Everything has been said; the peer closes, or the deadline cuts it.
        case closing
        case closed
    }

    /// How much is read at once. The buffer stays with the connection, so it is what an idle client costs.
    enum ReadSize: Int {
        /// For the messages of clients, which are short; a browser's handshake takes two or three.
        case small = 256
        /// For bodies and messages that have begun to arrive.
        case large = 16_384
    }

    let loop: LoopContext
    var state: State
    /// Which deliveries of the batch at hand go to this connection (`LoopFanout`).
    var share: UInt64 = 0
    var deadline: UInt64 = 0
    var wheelPlace = DeadlineWheelPlace()
    private var outbound: OutboundQueue
    private var context: ChannelHandlerContext?
    /// The TLS handler's; nil for a plain connection.
    private var tls: ChannelHandlerContext?
    /// Where a WebSocket client is and how it came, when a proxy may know better than the socket.
    private var forwardedOrigin: ClientOrigin?
    private var readSize = ReadSize.small
    private var closesWhenSent = false
    private var hasFailed = false
    /// How many bytes of the last answers the peer had not taken when it was looked at last.
    private var unsent = Int.max

    /// The channel option that goes with a new connection.
    static let initialReadAllocator = FixedSizeRecvByteBufferAllocator(capacity: ReadSize.small.rawValue)

    init(loop: LoopContext) {
        self.loop = loop
        self.state = .http(HTTPExchange())
        self.outbound = OutboundQueue(descriptor: nil)
    }

    /// The identifier of a WebSocket connection.
    var socketID: SocketID? {
        if case .webSocket(let session) = self.state { session.socketID } else { nil }
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
        if self.loop.tls == nil { self.beginPlain() }
        self.loop.connectionAdded()
        self.setDeadline(after: self.loop.configuration.timeouts.requestHead)
        if self.loop.isShuttingDown { self.closeNow() }
        context.fireChannelActive()
    }

    /// Nothing stands between this handler and the socket.
    func beginPlain() {
        // Fails only for a socket that is closed already, and then nothing is sent.
        let descriptor = try? self.context?.pipeline.syncOperations.withUnsafeTransportIfAvailable(
            of: NIOBSDSocket.Handle.self, { $0 })
        self.outbound = OutboundQueue(descriptor: descriptor)
    }

    /// A TLS handler stands between this one and the socket: whatever is read from now on has come by TLS.
    func beginTLS(above tls: ChannelHandlerContext) {
        self.tls = tls
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let buffer = self.unwrapInboundIn(data)
        buffer.withUnsafeReadableBytes { self.receive($0) }
        self.flushReplies()
        self.loop.settle()
    }

    func channelInactive(context: ChannelHandlerContext) {
        self.outbound.close()
        let state = self.state
        self.state = .closed
        if case .webSocket(let session) = state { session.end(connection: self) }
        self.loop.wheel.remove(self)
        self.loop.connectionRemoved()
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // TLS has something to say about a missing goodbye and about a cut too, when the end has come already.
        guard context.channel.isActive else { return }
        self.loop.logger.debug("Connection failed", metadata: ["error": "\(error)"])
        self.closeNow()
    }

    // MARK: Receiving

    /// Works through received bytes; answers go to `loop.replies`.
    func receive(_ bytes: UnsafeRawBufferPointer) {
        switch self.state {
        case .http(let exchange): exchange.receive(bytes, connection: self)
        case .webSocket(let session): session.receive(bytes, connection: self)
        case .closing, .closed: break
        }
    }

    /// Notes what proxies say of a client that becomes a WebSocket. Without proxies nobody is asked.
    func identify(_ head: HTTPRequestHead) {
        guard !self.loop.configuration.trustedProxies.isEmpty else { return }
        self.forwardedOrigin = self.origin(forwardedFor: head.forwardedFor, forwardedProto: head.forwardedProto)
    }

    /// Where the client is, and how it came; nil when its socket has gone.
    var origin: ClientOrigin? { self.forwardedOrigin ?? self.origin(forwardedFor: nil, forwardedProto: nil) }

    private func origin(forwardedFor: String?, forwardedProto: String?) -> ClientOrigin? {
        self.context?.remoteAddress.flatMap { IPAddress($0) }.map { peer in
            ClientOrigin(
                peer: peer, overTLS: self.tls != nil, forwardedFor: forwardedFor, forwardedProto: forwardedProto,
                trusted: self.loop.configuration.trustedProxies)
        }
    }

    /// Sets how much is read at once from now on.
    func read(_ size: ReadSize) {
        guard size != self.readSize, let context else { return }
        self.readSize = size
        // Setting this option cannot fail on a socket; if it could, reads would only keep their size.
        try? context.channel.syncOptions?.setOption(
            .recvAllocator, value: FixedSizeRecvByteBufferAllocator(capacity: size.rawValue))
    }

    // MARK: Sending

    /// Sends bytes behind all that were sent before. A peer that does not keep up is closed, never waited for.
    func send(_ bytes: UnsafeRawBufferPointer) {
        guard !self.hasFailed else { return }
        // A goodbye waits behind whatever waits already.
        let limit = if case .closing = self.state { Int.max } else { self.loop.configuration.maxBacklog }
        switch self.outbound.send(bytes, limit: limit) {
        case .done: break
        case .mustWrite: self.loop.unwritten.append(self)
        case .full: self.fail(.slowConsumer)
        case .broken: self.fail(.broken)
        }
    }

    private func fail(_ failure: WriteFailure) {
        self.hasFailed = true
        self.loop.failed.append((self, failure))
    }

    /// Gives NIO what waits.
    func writeNext() {
        guard let context, let buffer = self.outbound.next() else { return }
        let promise = context.eventLoop.makePromise(of: Void.self)
        promise.futureResult.assumeIsolated().whenComplete { _ in
            // A failed write closes the channel, which `channelInactive` reports.
            self.outbound.written()
            if self.outbound.isEmpty, self.closesWhenSent { self.finish() } else { self.writeNext() }
        }
        context.writeAndFlush(self.wrapOutboundOut(buffer), promise: promise)
    }

    /// Sends one WebSocket frame at once.
    func sendFrame(_ opcode: WebSocketOpcode, _ payload: [UInt8]) {
        var frame = ByteBuffer()
        frame.writeWebSocketFrame(opcode, payload)
        frame.withUnsafeReadableBytes { self.send($0) }
    }

    private func flushReplies() {
        guard self.loop.replies.readableBytes > 0 else { return }
        self.loop.replies.withUnsafeReadableBytes { self.send($0) }
        self.loop.replies.clear(minimumCapacity: 16 * 1024)
    }

    // MARK: Deadlines

    func setDeadline(after time: Duration) {
        self.loop.wheel.schedule(self, at: self.loop.now + time.nanoseconds)
    }

    // MARK: Closing

    /// Closes once everything has been sent, then waits a moment for the peer to do so too: cutting the connection
    /// while input is unread would throw away what the peer has not read yet.
    func closeAfterReplies() {
        let state = self.state
        if case .closed = state { return }
        self.state = .closing
        self.flushReplies()
        if case .webSocket(let session) = state { session.end(connection: self) }
        self.setDeadline(after: self.loop.configuration.timeouts.close)
        self.closesWhenSent = true
        if self.outbound.isEmpty { self.finish() }
    }

    /// All has been sent: tells the peer so, and gives it a moment to close too.
    private func finish() {
        self.unsent = self.unsentBytes
        self.setDeadline(after: self.loop.configuration.timeouts.close)
        self.context?.close(mode: .output, promise: nil)
    }

    /// A peer that takes its last answers slowly may go on; one that takes nothing is cut. Returns when to look again.
    private func checkLeaving(now: UInt64) -> UInt64? {
        let unsent = self.unsentBytes
        guard unsent > 0, unsent < self.unsent else {
            self.closeNow()
            return nil
        }
        self.unsent = unsent
        return now + self.loop.configuration.timeouts.close.nanoseconds
    }

    /// What the peer has not taken yet: here, in NIO, and in the kernel, which holds a megabyte and more before NIO
    /// hears of any progress.
    private var unsentBytes: Int {
        // Both fail only when the channel has closed.
        let inNIO = try? self.context?.channel.syncOptions?.getOption(.bufferedWritableBytes)
        let inKernel = try? self.context?.pipeline.syncOperations.withUnsafeTransportIfAvailable(
            of: NIOBSDSocket.Handle.self
        ) { descriptor in
            var bytes: CInt = 0
            return ioctl(descriptor, UInt(TIOCOUTQ), &bytes) == 0 ? Int(bytes) : 0
        }
        return self.outbound.waitingBytes + (inNIO ?? 0) + (inKernel ?? 0)
    }

    /// Sends a close frame and closes.
    func closeWebSocket(code: UInt16, reason: String) {
        // A control frame's payload has at most 125 bytes, cut between characters.
        var text = reason
        while text.utf8.count > 123 { text.removeLast() }
        let payload = [UInt8(truncatingIfNeeded: code >> 8), UInt8(truncatingIfNeeded: code)] + Array(text.utf8)
        self.loop.replies.writeWebSocketFrame(.close, payload)
        self.closeAfterReplies()
    }

    /// Ends a WebSocket with a protocol error: the event, then the close frame with the same code. Some clients act on
    /// the one, some on the other (1.2 of the protocol facts).
    func close(with error: ProtocolError) {
        if case .webSocket(let session) = self.state {
            self.logClosing(error, app: session.app.application.credentials.id)
        }
        self.reply(ServerFrame.error(error))
        self.closeWebSocket(code: error.code ?? 1008, reason: error.message)
    }

    /// Ends a WebSocket whose client may not hear any more: not what waits for it, either.
    func terminate(with error: ProtocolError) {
        self.outbound.dropWaiting()
        self.close(with: error)
    }

    /// Takes this connection off a channel for good and says so with `frame`.
    func endSubscription(to channel: ChannelName, saying frame: ByteBuffer) {
        guard case .webSocket(let session) = self.state else { return }
        session.endSubscription(to: channel, saying: frame, connection: self)
    }

    /// What becomes of a connection that could not be written to.
    func close(after failure: WriteFailure) {
        switch (failure, self.state) {
        case (.slowConsumer, .webSocket):
            self.outbound.dropWaiting()
            self.hasFailed = false
            self.close(with: .slowConsumer)
        default: self.closeNow()
        }
    }

    /// Cuts the connection. Under TLS too: the handler for that would wait for the peer to agree.
    func closeNow() {
        (self.tls ?? self.context)?.close(promise: nil)
    }

    /// Ends a connection on which nothing is being said; a TLS peer is told so, and has a moment to agree.
    func closeIdle() {
        self.context?.close(promise: nil)
    }

    /// Tells whoever looks for the reason why a client has no connection.
    func logClosing(_ error: ProtocolError, app: String?) {
        self.loop.logger.debug(
            "Closes a client",
            metadata: [
                "code": "\(error.code ?? 0)", "reason": "\(error.message)", "app": "\(app ?? "unknown")",
                "address": "\(self.origin.map { "\($0.address)" } ?? "unknown")",
            ])
    }

    /// Other apps are served, or the same with other settings.
    func appsChanged(to apps: ServedApps) {
        guard case .webSocket(let session) = self.state else { return }
        guard let app = apps.successor(of: session.app) else {
            return self.close(with: .unknownKey(session.app.application.credentials.key))
        }
        guard app.application.isEnabled else { return self.close(with: .applicationDisabled) }
        guard !app.application.requiresTLS || self.origin?.usesTLS == true else {
            return self.close(with: .tlsRequired)
        }
        session.settingsChanged(to: app)
    }

    /// The server goes down.
    func shutDown() {
        switch self.state {
        case .webSocket: self.close(with: .shuttingDown)
        case .http(let exchange) where exchange.isIdle:
            // Nobody waits here for a TLS peer to agree: it has no request under way.
            if self.outbound.isEmpty { self.closeNow() } else { self.closeAfterReplies() }
        case .http, .closing, .closed: break
        }
    }

    /// The server has waited long enough.
    func abandon() {
        self.closeNow()
    }

    // MARK: Pusher frames, used while input is worked through

    /// Queues a text frame with the answers to the input at hand.
    func reply(_ payload: [UInt8]) {
        self.loop.replies.writeWebSocketFrame(.text, payload)
    }

    /// The place of one of this connection's subscriptions among its channel's subscribers has changed.
    func moveSubscription(_ slot: Int, to index: Int) {
        if case .webSocket(let session) = self.state { session.moveSubscription(slot, to: index) }
    }
}

extension Connection: DeadlineMember {
    func deadlineReached(now: UInt64) -> UInt64? {
        switch self.state {
        case .webSocket(let session):
            return session.checkAlive(now: now, connection: self)
        case .http(let exchange):
            exchange.timedOut(connection: self)
            return nil
        case .closing: return self.checkLeaving(now: now)
        case .closed: return nil
        }
    }
}

extension IPAddress {
    fileprivate init?(_ address: SocketAddress) {
        // Where Linux's `sockaddr_in` and `sockaddr_in6` have the address.
        let place: Range<Int>
        switch address {
        case .v4: place = 4..<8
        case .v6: place = 8..<24
        case .unixDomainSocket: return nil
        }
        let parsed = address.withSockAddr { start, size in
            let bytes = UnsafeRawBufferPointer(start: start, count: size)
            return place.upperBound <= size ? IPAddress(UnsafeRawBufferPointer(rebasing: bytes[place])) : nil
        }
        guard let parsed else { return nil }
        self = parsed
    }
}
