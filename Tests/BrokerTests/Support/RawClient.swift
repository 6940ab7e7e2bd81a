import NIOCore
import NIOPosix
import NIOSSL
import Synchronization

/// A TCP client for bytes as they are: sends what it is told and collects what comes.
///
/// Whatever is awaited has a deadline: after it the connection is cut, and the wait fails with what had come by then.
actor RawClient {
    struct Unmet: Error, CustomStringConvertible {
        let description: String
    }

    private final class Collector: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        private let stream: AsyncStream<ByteBuffer>.Continuation
        private let failures: Failures

        init(_ stream: AsyncStream<ByteBuffer>.Continuation, failures: Failures) {
            self.stream = stream
            self.failures = failures
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            self.stream.yield(self.unwrapInboundIn(data))
        }

        func channelInactive(context: ChannelHandlerContext) {
            self.stream.finish()
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) {
            self.failures.kept.withLock { $0.append("\(error)") }
            context.close(promise: nil)
        }
    }

    private final class Failures: Sendable {
        let kept = Mutex<[String]>([])
        let isOverdue = Mutex(false)
    }

    private static let patience = TimeAmount.seconds(60)

    nonisolated let channel: any Channel
    private var incoming: AsyncStream<ByteBuffer>.Iterator
    /// What was received, of which the first `taken` bytes have been taken.
    private var received: [UInt8] = []
    private var taken = 0
    private(set) var hasEnded = false
    private nonisolated let failures: Failures

    /// What went wrong with the connection, an end without TLS's goodbye included.
    nonisolated var errors: [String] { self.failures.kept.withLock { $0 } }

    private init(channel: any Channel, incoming: AsyncStream<ByteBuffer>, failures: Failures) {
        self.failures = failures
        self.channel = channel
        self.incoming = incoming.makeAsyncIterator()
    }

    /// - Parameters:
    ///   - tls: to speak TLS with.
    ///   - receiveBuffer: how many bytes the kernel may hold for the client; nil for as many as it likes.
    static func connect(
        port: Int, tls: NIOSSLContext? = nil, receiveBuffer: CInt? = nil
    ) async throws -> RawClient {
        let (stream, continuation) = AsyncStream.makeStream(of: ByteBuffer.self)
        let failures = Failures()
        var bootstrap = ClientBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            // Enough at once that one read makes room for the sender to go on, and no more than once a read.
            .channelOption(.recvAllocator, value: FixedSizeRecvByteBufferAllocator(capacity: 256 * 1024))
            .channelOption(.maxMessagesPerRead, value: 1)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    if let tls {
                        try channel.pipeline.syncOperations.addHandler(
                            NIOSSLClientHandler(context: tls, serverHostname: "localhost"))
                    }
                    try channel.pipeline.syncOperations.addHandler(Collector(continuation, failures: failures))
                }
            }
        if let receiveBuffer {
            bootstrap = bootstrap.channelOption(.socketOption(.so_rcvbuf), value: .init(receiveBuffer))
        }
        let channel = try await bootstrap.connect(host: "127.0.0.1", port: port).get()
        return RawClient(channel: channel, incoming: stream, failures: failures)
    }

    nonisolated func send(_ bytes: some Collection<UInt8> & Sendable) async throws {
        try await self.channel.writeAndFlush(ByteBuffer(bytes: bytes))
    }

    nonisolated func send(_ text: String) async throws {
        try await self.send(Array(text.utf8))
    }

    nonisolated func setReading(_ reads: Bool) async throws {
        do {
            try await self.channel.setOption(.autoRead, value: reads).get()
        } catch ChannelError.ioOnClosedChannel where reads {
            // The peer has ended its half, upon which NIO read all there was.
            return
        }
        if reads { self.channel.read() }
    }

    /// Reads once, after a while. For a client that reads slowly on purpose.
    nonisolated func readOnce(after time: TimeAmount) async throws {
        try await self.channel.eventLoop.scheduleTask(in: time) { [channel] in channel.read() }.futureResult.get()
    }

    /// Cuts the connection without a word.
    nonisolated func cut() {
        self.channel.close(promise: nil)
    }

    /// Waits until `match` finds something at the front of what came, and takes it.
    func take<Value: Sendable>(
        _ what: String, _ match: @Sendable (UnsafeBufferPointer<UInt8>) throws -> (Value, Int)?
    ) async throws -> Value {
        let deadline = self.channel.eventLoop.scheduleTask(in: Self.patience) { [channel, failures] in
            failures.isOverdue.withLock { $0 = true }
            channel.close(promise: nil)
        }
        defer { deadline.cancel() }
        while true {
            let found = try self.received.withUnsafeBufferPointer { bytes in
                try match(UnsafeBufferPointer(rebasing: bytes[self.taken...]))
            }
            if let (value, length) = found {
                self.taken += length
                return value
            }
            guard !self.hasEnded else {
                throw Unmet(
                    description:
                        "no \(what) before the end; there is: \(String(decoding: self.received[self.taken...], as: UTF8.self))"
                )
            }
            if let buffer = await self.nextBuffer() {
                self.received.removeFirst(self.taken)
                self.taken = 0
                self.received += buffer.readableBytesView
            } else {
                self.hasEnded = true
            }
        }
    }

    private func nextBuffer() async -> ByteBuffer? {
        var iterator = self.incoming
        defer { self.incoming = iterator }
        return await iterator.next(isolation: #isolation)
    }

    /// Waits for the peer to close and returns everything that came before.
    func takeAll() async throws -> [UInt8] {
        while !self.hasEnded {
            do {
                let _: Int = try await self.take("end") { _ in nil }
            } catch is Unmet {}
        }
        if self.failures.isOverdue.withLock({ $0 }) { throw Unmet(description: "the peer did not close") }
        defer { self.taken = self.received.count }
        return Array(self.received[self.taken...])
    }
}
