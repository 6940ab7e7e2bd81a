import NIOCore
import NIOPosix

/// A connection on which a test says what it wants, when it wants.
struct RawConnection {
    private var inbound: NIOAsyncChannelInboundStream<ByteBuffer>.AsyncIterator
    private let outbound: NIOAsyncChannelOutboundWriter<ByteBuffer>
    private var received: [UInt8] = []

    private init(
        inbound: NIOAsyncChannelInboundStream<ByteBuffer>.AsyncIterator,
        outbound: NIOAsyncChannelOutboundWriter<ByteBuffer>
    ) {
        self.inbound = inbound
        self.outbound = outbound
    }

    static func open(port: Int, _ body: @Sendable (inout RawConnection) async throws -> Void) async throws {
        let channel = try await ClientBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .connect(host: "127.0.0.1", port: port) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
                }
            }
        try await channel.executeThenClose { inbound, outbound in
            var connection = RawConnection(inbound: inbound.makeAsyncIterator(), outbound: outbound)
            try await body(&connection)
        }
    }

    /// Throws when the other end has closed the connection.
    func send(_ text: String) async throws {
        try await self.outbound.write(ByteBuffer(string: text))
    }

    /// Takes the next answer, with the body that its `Content-Length` says; whatever there was when the connection ends.
    mutating func answer() async throws -> String {
        while true {
            if let count = self.lengthOfAnswer, self.received.count >= count {
                defer { self.received.removeFirst(count) }
                return String(decoding: self.received[..<count], as: UTF8.self)
            }
            guard let part = try await self.inbound.next() else {
                return String(decoding: self.received, as: UTF8.self)
            }
            self.received += part.readableBytesView
        }
    }

    /// Known when its head is there.
    private var lengthOfAnswer: Int? {
        guard let end = self.received.firstRange(of: Array("\r\n\r\n".utf8))?.upperBound else { return nil }
        let head = String(decoding: self.received[..<end], as: UTF8.self)
        return end + (head.firstMatch(of: /(?i)content-length: (\d+)/).flatMap { Int($0.1) } ?? 0)
    }
}
