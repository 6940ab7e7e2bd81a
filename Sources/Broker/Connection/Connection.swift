import Addresses
import BrokerCore
import Logging
import NIOCore
import PusherProtocol
import Wire

/// One accepted connection: first an HTTP/1.1 server, and after an upgrade a Pusher client's WebSocket.
///
/// Owned by its transport while that is open; every method runs on its loop.
final class Connection {
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

    let loop: LoopContext
    var state: State
    /// Which deliveries of the batch at hand go to this connection (`LoopFanout`).
    var share: UInt64 = 0
    var deadline: UInt64 = 0
    var wheelPlace = DeadlineWheelPlace()
    private var outbound: OutboundQueue
    /// nil before it is open and once it has gone.
    private var transport: (any Transport)?
    /// Where a WebSocket client is and how it came, when a proxy may know better than the socket.
    private var forwardedOrigin: ClientOrigin?
    private var closesWhenSent = false
    private var hasFailed = false
    /// How many bytes of the last answers the peer had not taken when it was looked at last.
    private var unsent = Int.max

    init(loop: LoopContext) {
        self.loop = loop
        self.state = .http(HTTPExchange())
        self.outbound = OutboundQueue(descriptor: nil)
    }

    /// The identifier of a WebSocket connection.
    var socketID: SocketID? {
        if case .webSocket(let session) = self.state { session.socketID } else { nil }
    }

    // MARK: What the transport reports

    func opened(by transport: any Transport) {
        self.transport = transport
        self.descriptorFound()
        self.loop.connectionAdded()
        self.setDeadline(after: self.loop.configuration.timeouts.requestHead)
        if self.loop.isShuttingDown { self.closeNow() }
    }

    /// The transport knows whether bytes may go straight to the socket. Nothing has been sent yet.
    func descriptorFound() {
        self.outbound = OutboundQueue(descriptor: self.transport?.descriptor)
    }

    func received(_ bytes: UnsafeRawBufferPointer) {
        self.loop.turn { loop in
            loop.catchUp(self)
            loop.counts.bytesReceived += bytes.count
            self.receive(bytes)
            self.flushReplies()
        }
    }

    /// Gives an answer that was not there at once, and then works through what has been received meanwhile.
    func goOn(_ answer: () -> Void) {
        answer()
        self.receive(UnsafeRawBufferPointer(start: nil, count: 0))
        self.flushReplies()
    }

    /// What was given to the transport is with the kernel, or lost with the connection.
    func written() {
        self.outbound.written()
        if self.outbound.isEmpty, self.closesWhenSent { self.finish() } else { self.writeNext() }
    }

    func failed(_ error: any Error) {
        self.log(error)
        self.closeNow()
    }

    func ended() {
        self.outbound.close()
        self.transport = nil
        let state = self.state
        self.state = .closed
        if case .webSocket(let session) = state { session.end(connection: self) }
        self.loop.wheel.remove(self)
        self.loop.connectionRemoved()
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
        guard let transport, let peer = transport.peer else { return nil }
        return ClientOrigin(
            peer: peer, overTLS: transport.usesTLS, forwardedFor: forwardedFor, forwardedProto: forwardedProto,
            trusted: self.loop.configuration.trustedProxies)
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

    /// Gives the transport what waits.
    func writeNext() {
        guard let transport, let buffer = self.outbound.next() else { return }
        transport.write(buffer)
    }

    /// Sends one WebSocket frame at once.
    func sendFrame(_ opcode: WebSocketOpcode, _ payload: [UInt8]) {
        var frame = ByteBuffer()
        frame.writeWebSocketFrame(opcode, payload)
        self.sendFrame(frame)
    }

    /// Sends one encoded WebSocket frame at once.
    func sendFrame(_ frame: ByteBuffer) {
        self.loop.counts.bytesSent += frame.readableBytes
        frame.withUnsafeReadableBytes { self.send($0) }
    }

    private func flushReplies() {
        guard self.loop.replies.readableBytes > 0 else { return }
        self.loop.counts.bytesSent += self.loop.replies.readableBytes
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
        self.transport?.closeOutput()
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

    private var unsentBytes: Int { self.outbound.waitingBytes + (self.transport?.unsentBytes ?? 0) }

    /// Sends a close frame and closes.
    func closeWebSocket(code: UInt16, reason: String) {
        // A control frame's payload has at most 125 bytes, cut between characters.
        var text = reason
        while text.utf8.count > 123 { text.removeLast() }
        let payload = [UInt8(truncatingIfNeeded: code >> 8), UInt8(truncatingIfNeeded: code)] + Array(text.utf8)
        self.loop.replies.writeWebSocketFrame(.close, payload)
        self.closeAfterReplies()
    }

    /// Ends a WebSocket whose peer speaks it wrongly (RFC 6455 section 7.1.7).
    func close(after violation: WebSocketViolation) {
        self.loop.counts.refusals[.init(code: violation.closeCode, reason: .websocketViolation), default: 0] += 1
        self.log("Closes a client", code: violation.closeCode, reason: .websocketViolation, detail: violation.reason)
        self.closeWebSocket(code: violation.closeCode, reason: violation.reason)
    }

    /// Ends a WebSocket with a protocol error: the event, then the close frame with the same code. Some clients act on
    /// the one, some on the other (1.2 of the protocol facts).
    /// - Parameter app: the id of the app of a client that was not admitted.
    func close(with error: ProtocolError, app: String? = nil) {
        self.loop.counts.refused(error)
        // The message of a fatal error repeats nothing of a client's but the public key of an app.
        self.log("Closes a client", app: app, code: error.code, reason: error.reason, detail: error.message)
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

    /// Cuts the connection.
    func closeNow() {
        self.transport?.close()
    }

    /// Ends a connection on which nothing is being said.
    func closeIdle() {
        self.transport?.closePolitely()
    }

    /// Other apps are served, or the same with other settings.
    func appsChanged(to apps: ServedApps) {
        self.loop.catchUp(self)
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
        self.loop.catchUp(self)
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

    /// Tells the client that a message of its was not carried out. What the error repeats of the message is for the client
    /// alone; `channel` is a name.
    func refuse(_ error: ProtocolError, channel: String? = nil) {
        self.loop.counts.refused(error)
        self.log("Refuses a message", code: error.code, reason: error.reason, channel: channel)
        self.reply(ServerFrame.error(error))
    }

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
