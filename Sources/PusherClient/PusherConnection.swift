package import NIOCore
internal import Digests
internal import NIOPosix
internal import NIOTLS
package import PusherProtocol
internal import Wire

/// Who is told what happens to a connection, on its loop. The connection keeps it until it has ended.
package protocol PusherConnectionDelegate: AnyObject {
    /// The connection can be used: `pusher:connection_established` has come.
    func established(_ connection: PusherConnection)
    /// A message has come. True when nothing more is to be done with it; else it is read as an event, a ping is
    /// answered, and any other goes to `received`. The bytes are valid UTF-8, and valid during the call only.
    func takes(_ message: UnsafeRawBufferPointer, on connection: PusherConnection) -> Bool
    func received(_ event: ServerEvent, on connection: PusherConnection)
    /// A message has come that is no event.
    func receivedNonsense(_ message: UnsafeRawBufferPointer, on connection: PusherConnection)
    /// The last that is heard of a connection, whatever it has come to; nil when it was closed by `close`.
    func ended(_ connection: PusherConnection, because failure: PusherClientFailure?)
}

/// One client of a Pusher-compatible server: the lean way, which calls back on the loop and allocates nothing for a
/// message that the delegate takes.
///
/// The only handler of its channel, except under TLS. Owned by its loop; every method runs there.
package final class PusherConnection: ChannelInboundHandler {
    package typealias InboundIn = ByteBuffer
    package typealias OutboundOut = ByteBuffer

    private enum State {
        case connecting
        case upgrading(OpeningHandshake)
        /// Upgraded; the first message must come.
        case establishing
        case established
        /// Goodbye has been said; the server closes, or the deadline cuts it.
        case closing
        case ended
    }

    /// How long a server may take until a connection is established, and to answer a ping or a goodbye.
    package static let patience = TimeAmount.seconds(10)
    /// How long the rest of a refusal is waited for.
    private static let refusalPatience = TimeAmount.seconds(1)
    /// How much is read at once.
    private static let readSize = 4096

    private let endpoint: PusherEndpoint
    private let loop: ClientLoop
    private var delegate: (any PusherConnectionDelegate)?
    private var state = State.connecting
    private var decoder: WebSocketDecoder
    private var context: ChannelHandlerContext?
    private var deadline: Scheduled<Void>?
    private var isTLSDone = false
    /// Whether anything has come since the silence was last looked at, and whether a ping is out.
    private var hasHeard = false
    private var hasPinged = false

    /// Empty until the connection is established.
    package private(set) var socketID = ""
    /// How long the server lets a client be silent, in seconds; nil when it did not say.
    package private(set) var activityTimeout: Int?

    /// Connects. What becomes of it the delegate hears, never before this has returned.
    ///
    /// - Parameter address: one that an earlier connection had (`remoteAddress`), which spares looking up the host.
    package static func open(
        _ endpoint: PusherEndpoint, at address: SocketAddress? = nil, on loop: ClientLoop,
        delegate: any PusherConnectionDelegate
    ) -> PusherConnection {
        let connection = PusherConnection(endpoint, loop: loop, delegate: delegate)
        let bootstrap = ClientBootstrap(group: loop.eventLoop)
            .connectTimeout(Self.patience)
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .channelOption(.maxMessagesPerRead, value: 1)
            .channelOption(.recvAllocator, value: FixedSizeRecvByteBufferAllocator(capacity: Self.readSize))
        let channel =
            address.map { bootstrap.connect(to: $0) } ?? bootstrap.connect(host: endpoint.host, port: endpoint.port)
        // Several addresses may be tried, each with a channel of its own: the handlers are the winner's.
        channel.assumeIsolated().whenComplete { result in
            switch result {
            case .success(let channel): connection.connected(channel)
            case .failure(let error):
                connection.end(
                    address.map { PusherClientFailure(error, connectingTo: $0) }
                        ?? PusherClientFailure(error, at: .connecting))
            }
        }
        return connection
    }

    private init(_ endpoint: PusherEndpoint, loop: ClientLoop, delegate: any PusherConnectionDelegate) {
        self.endpoint = endpoint
        self.loop = loop
        self.delegate = delegate
        self.decoder = WebSocketDecoder(maxMessageBytes: loop.maxMessageBytes, peer: .server)
    }

    /// The server's address, once connected.
    package var remoteAddress: SocketAddress? { self.context?.remoteAddress }

    // MARK: Using it

    /// Sends one message; nothing when the connection is not established.
    package func send(_ frame: ClientFrame) {
        self.send(frame.encoded)
    }

    /// Sends one message that is encoded already.
    package func send(_ message: [UInt8]) {
        guard case .established = self.state else { return }
        message.withUnsafeBytes { self.write(.text, $0) }
    }

    /// Asks to subscribe, signing for this connection what needs a signature.
    ///
    /// - Parameter channelData: who joins a presence channel; JSON.
    package func subscribe(to channel: String, credentials: AppCredentials, channelData: String? = nil) {
        self.send(
            .subscribe(
                SubscribeRequest(
                    channel: channel, socketID: self.socketID, channelData: channelData, credentials: credentials)))
    }

    /// Stops or resumes reading from the socket.
    package func setReading(_ reads: Bool) {
        guard let context else { return }
        // Cannot fail on a socket; if it could, reading would only go on.
        try? context.channel.syncOptions?.setOption(.autoRead, value: reads)
        if reads { context.read() }
    }

    /// Says goodbye and closes.
    package func close() {
        switch self.state {
        case .established, .establishing:
            self.writeClose(1000)
            self.state = .closing
            self.setDeadline(Self.patience)
        case .connecting, .upgrading: self.end(nil)
        case .closing, .ended: break
        }
    }

    // MARK: Channel events

    private func connected(_ channel: any Channel) {
        guard case .connecting = self.state else { return channel.close(promise: nil) }
        do {
            let handshake = try OpeningHandshake()
            self.state = .upgrading(handshake)
            self.setDeadline(Self.patience)
            try self.endpoint.tls?.begin(on: channel, host: self.endpoint.host)
            try channel.pipeline.syncOperations.addHandler(self)
            let request = self.endpoint.upgradeRequest(nonce: handshake.nonce)
            self.context?.writeAndFlush(self.wrapOutboundOut(ByteBuffer(string: request)), promise: nil)
        } catch {
            // No random numbers, a host that cannot be a server name, or a channel that has closed meanwhile.
            channel.close(promise: nil)
            self.end(PusherClientFailure(error, at: self.stage))
        }
    }

    package func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
    }

    package func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
    }

    package func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case TLSUserEvent.handshakeCompleted = event { self.isTLSDone = true }
        context.fireUserInboundEventTriggered(event)
    }

    package func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let buffer = self.unwrapInboundIn(data)
        if case .upgrading(var handshake) = self.state {
            switch handshake.receive(buffer) {
            case .incomplete: self.state = .upgrading(handshake)
            case .refused:
                self.state = .upgrading(handshake)
                self.setDeadline(Self.refusalPatience)
            case .failed(let failure): self.end(failure)
            case .accepted(let rest):
                self.state = .establishing
                rest.withUnsafeReadableBytes { self.receive($0) }
            }
        } else {
            buffer.withUnsafeReadableBytes { self.receive($0) }
        }
    }

    package func channelInactive(context: ChannelHandlerContext) {
        self.end(self.isClosing ? nil : self.partialRefusal ?? .cut(self.stage, errno: 0))
        context.fireChannelInactive()
    }

    package func errorCaught(context: ChannelHandlerContext, error: any Error) {
        self.end(self.isClosing ? nil : self.partialRefusal ?? PusherClientFailure(error, at: self.stage))
    }

    // MARK: Receiving

    private func receive(_ bytes: UnsafeRawBufferPointer) {
        self.hasHeard = true
        do {
            try self.decoder.decode(bytes, scratch: self.loop.scratch) { event in
                switch event {
                case .text(let message): self.handle(message)
                case .binary(let message): self.handle(message)
                case .ping(let payload): self.write(.pong, payload)
                case .pong: break
                case .close(let code, let reason):
                    let isClosing = self.isClosing
                    if !isClosing { self.writeClose(code ?? 1000) }
                    self.end(isClosing ? nil : .closed(code: code, reason: String(decoding: reason, as: UTF8.self)))
                }
                if case .ended = self.state { return false }
                return true
            }
        } catch {
            self.writeClose(error.closeCode)
            self.end(.violation(error))
        }
    }

    private func handle(_ message: UnsafeRawBufferPointer) {
        switch self.state {
        case .established:
            guard let delegate, !delegate.takes(message, on: self) else { return }
            guard let event = ServerEvent(decoding: message) else {
                return delegate.receivedNonsense(message, on: self)
            }
            if event.name == "pusher:ping" { self.send(.pong) } else { delegate.received(event, on: self) }
        case .establishing: self.establish(message)
        case .connecting, .upgrading, .closing, .ended: break
        }
    }

    private func establish(_ message: UnsafeRawBufferPointer) {
        let event = ServerEvent(decoding: message)
        if let established = event?.established {
            self.socketID = established.socketID
            self.activityTimeout = established.activityTimeout
            self.state = .established
            self.deadline?.cancel()
            self.watchSilence()
            self.delegate?.established(self)
        } else {
            self.writeClose(1000)
            if let failure = event?.failure {
                self.end(.error(code: failure.code, message: failure.message))
            } else {
                self.end(.notPusher(String(decoding: message.prefix(200), as: UTF8.self)))
            }
        }
    }

    // MARK: Sending

    private func write(_ opcode: WebSocketOpcode, _ payload: UnsafeRawBufferPointer) {
        guard let context else { return }
        var buffer = context.channel.allocator.buffer(capacity: payload.count + ClientWebSocketFrame.maxHeadLength)
        buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: payload.count + ClientWebSocketFrame.maxHeadLength) {
            ClientWebSocketFrame.write(opcode, payload, mask: .random(in: 0...UInt32.max), to: $0)
        }
        context.writeAndFlush(self.wrapOutboundOut(buffer), promise: nil)
    }

    private func writeClose(_ code: UInt16) {
        withUnsafeBytes(of: code.bigEndian) { self.write(.close, $0) }
    }

    // MARK: Liveness

    /// Pings a server from which nothing came for half of the time that it gave, and gives up one that does not answer
    /// (section 2.5 of the protocol facts). No clock is read when a message comes.
    private func watchSilence() {
        let interval = TimeAmount.milliseconds(Int64(self.activityTimeout ?? 120) * 500)
        self.schedule(in: self.hasPinged ? Self.patience : interval) { connection in
            if connection.hasHeard {
                connection.hasHeard = false
                connection.hasPinged = false
            } else if connection.hasPinged {
                return connection.end(.silent)
            } else {
                connection.hasPinged = true
                connection.send(.ping)
            }
            connection.watchSilence()
        }
    }

    private func setDeadline(_ time: TimeAmount) {
        self.schedule(in: time) { connection in
            connection.end(connection.isClosing ? nil : connection.partialRefusal ?? .timedOut(connection.stage))
        }
    }

    private func schedule(in time: TimeAmount, _ body: @escaping @Sendable (PusherConnection) -> Void) {
        self.deadline?.cancel()
        let bound = NIOLoopBound(self, eventLoop: self.loop.eventLoop)
        self.deadline = self.loop.eventLoop.scheduleTask(in: time) { body(bound.value) }
    }

    // MARK: Ending

    private var isClosing: Bool {
        if case .closing = self.state { true } else { false }
    }

    private var stage: PusherClientFailure.Stage {
        switch self.state {
        case .connecting: .connecting
        case .upgrading: self.endpoint.tls != nil && !self.isTLSDone ? .tls : .upgrade
        case .establishing: .establishing
        case .established, .closing, .ended: .established
        }
    }

    /// The refusal whose end has not come, when there is one.
    private var partialRefusal: PusherClientFailure? {
        if case .upgrading(let handshake) = self.state { handshake.end() } else { nil }
    }

    private func end(_ failure: PusherClientFailure?) {
        if case .ended = self.state { return }
        self.state = .ended
        self.deadline?.cancel()
        self.deadline = nil
        self.context?.close(promise: nil)
        let delegate = self.delegate
        self.delegate = nil
        delegate?.ended(self, because: failure)
    }
}
