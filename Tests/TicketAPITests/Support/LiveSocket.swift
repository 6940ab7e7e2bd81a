import Foundation
import NIOCore
import NIOHTTP1
import NIOPosix
import PusherProtocol

/// A Pusher client on a real broker.
actor LiveSocket {
    struct Event: Sendable {
        let name: String
        let channel: String?
        let json: Value
        /// When it came.
        let instant: ContinuousClock.Instant
    }

    struct Ended: Error, CustomStringConvertible {
        let description: String
    }

    private enum Frame: Sendable {
        case text(String, ContinuousClock.Instant)
        case close(Int, ContinuousClock.Instant)
    }

    private let channel: any Channel
    private var frames: AsyncStream<Frame>.Iterator
    private(set) var socketID = ""
    /// What came while something else was waited for.
    private(set) var events: [Event] = []
    private(set) var closeCode: Int?
    private(set) var closedAt: ContinuousClock.Instant?

    private init(channel: any Channel, frames: AsyncStream<Frame>) {
        self.channel = channel
        self.frames = frames.makeAsyncIterator()
    }

    static func connect(port: Int, key: String = RecordingBroker.credentials.key) async throws -> LiveSocket {
        let (frames, continuation) = AsyncStream.makeStream(of: Frame.self)
        let channel = try await ClientBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(Reader(continuation))
                }
            }
            .connect(host: "127.0.0.1", port: port).get()
        try await channel.writeAndFlush(
            ByteBuffer(
                string: "GET /app/\(key)?protocol=7 HTTP/1.1\r\nHost: test\r\nConnection: Upgrade\r\n"
                    + "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
                    + "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"))
        let socket = LiveSocket(channel: channel, frames: frames)
        try await socket.establish()
        return socket
    }

    private func establish() async throws {
        self.socketID = try await self.next("pusher:connection_established").json["socket_id"].string ?? ""
    }

    /// The next event of a name; those before it are kept in `events`.
    @discardableResult
    func next(_ name: String) async throws -> Event {
        while let event = await self.read() {
            if event.name == name { return event }
        }
        throw Ended(description: "closed with \(self.closeCode ?? 0) before \(name)")
    }

    /// Waits for the close, and returns its code.
    func waitForClose() async -> Int? {
        while await self.read() != nil {}
        return self.closeCode
    }

    private func read() async -> Event? {
        var frames = self.frames
        defer { self.frames = frames }
        switch await frames.next(isolation: #isolation) {
        case .text(let text, let instant)?:
            guard let frame = try? Value(parsing: text), let name = frame["event"].string else { return nil }
            let data = frame["data"].string.flatMap { try? Value(parsing: $0) } ?? frame["data"]
            let event = Event(name: name, channel: frame["channel"].string, json: data, instant: instant)
            self.events.append(event)
            return event
        case .close(let code, let instant)?:
            (self.closeCode, self.closedAt) = (code, instant)
            return nil
        case nil: return nil
        }
    }

    /// Has the ticket API sign, and subscribes.
    func join(_ channel: String, _ api: TicketHarness, token: String) async throws {
        let reply = try await api.call(
            .POST, "/broadcasting/auth", token: token,
            json: #"{"socket_id":"\#(self.socketID)","channel_name":"\#(channel)"}"#)
        guard reply.status == 200 else { throw Unexpected(reply) }
        try await self.subscribe(channel, signed: reply)
        try await self.next("pusher_internal:subscription_succeeded")
    }

    /// Subscribes with what the ticket API answered.
    func subscribe(_ channel: String, signed reply: TicketHarness.Reply) async throws {
        var data = ["channel": channel, "auth": reply.json["auth"].string ?? ""]
        data["channel_data"] = reply.json["channel_data"].string
        let json = try JSONSerialization.data(withJSONObject: ["event": "pusher:subscribe", "data": data])
        try await self.send(String(decoding: json, as: UTF8.self))
    }

    /// Proves that the connection lives and that all that was sent before has come.
    func ping() async throws {
        try await self.send(#"{"event":"pusher:ping"}"#)
        try await self.next("pusher:pong")
    }

    func cut() {
        self.channel.close(promise: nil)
    }

    private func send(_ text: String) async throws {
        var frame = ByteBuffer(bytes: [0x81, 0x80 | (text.utf8.count < 126 ? UInt8(text.utf8.count) : 126)])
        if text.utf8.count >= 126 { frame.writeInteger(UInt16(text.utf8.count)) }
        // Masked with zeros.
        frame.writeBytes([0, 0, 0, 0])
        frame.writeString(text)
        try await self.channel.writeAndFlush(frame)
    }

    private final class Reader: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer

        private let frames: AsyncStream<Frame>.Continuation
        private var bytes: [UInt8] = []
        private var isUpgraded = false

        init(_ frames: AsyncStream<Frame>.Continuation) { self.frames = frames }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            self.bytes += Array(self.unwrapInboundIn(data).readableBytesView)
            if !self.isUpgraded {
                guard let end = self.bytes.firstRange(of: Array("\r\n\r\n".utf8)) else { return }
                self.bytes.removeFirst(end.upperBound)
                self.isUpgraded = true
            }
            let now = ContinuousClock.now
            while self.bytes.count >= 2 {
                var (start, length) = (2, Int(self.bytes[1]))
                if length == 126 {
                    guard self.bytes.count >= 4 else { return }
                    (start, length) = (4, Int(self.bytes[2]) << 8 | Int(self.bytes[3]))
                }
                guard self.bytes.count >= start + length else { return }
                let payload = Array(self.bytes[start..<(start + length)])
                switch self.bytes[0] {
                case 0x81: self.frames.yield(.text(String(decoding: payload, as: UTF8.self), now))
                case 0x88:
                    let code = payload.count >= 2 ? Int(payload[0]) << 8 | Int(payload[1]) : 1005
                    self.frames.yield(.close(code, now))
                    context.close(promise: nil)
                default: break
                }
                self.bytes.removeFirst(start + length)
            }
        }

        func channelInactive(context: ChannelHandlerContext) { self.frames.finish() }
    }
}
