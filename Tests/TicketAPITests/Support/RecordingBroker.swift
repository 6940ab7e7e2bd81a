import Digests
import Glibc
import NIOCore
import NIOHTTP1
import NIOPosix
import PusherProtocol
import Support
import Synchronization
import Testing

/// A server that takes signed events as a broker does, keeps them, and fails when told to.
final class RecordingBroker: Sendable {
    static let credentials = AppCredentials(id: "app-1", key: "key-1", secret: AppSecret("secret-1"))

    struct Event: Sendable, Equatable {
        var channel: String
        var name: String
        var data: String
        var socketID: String?
        /// Which request brought it, from 0.
        var request: Int

        var json: Value { (try? Value(parsing: self.data)) ?? .null }
    }

    /// A request to end something, which the broker did.
    struct Termination: Sendable, Equatable {
        /// What follows the app's id.
        var path: String
        var sockets: [String]
        var reconnects: Bool
        /// Which request it was, from 0.
        var request: Int
    }

    private struct State {
        var events: [Event] = []
        var terminations: [Termination] = []
        var answerTermination: @Sendable (String) -> Int = { _ in 200 }
        var requests = 0
        var refused = 0
        var badSignatures = 0
        var answer: @Sendable ([Event]) -> Int = { _ in 200 }
        var waiters: [(isMet: @Sendable (Snapshot) -> Bool, continuation: CheckedContinuation<Void, Never>)] = []
    }

    struct Snapshot: Sendable {
        let events: [Event]
        let terminations: [Termination]
        let requests: Int
        let refused: Int
    }

    private let state = Mutex(State())
    private let channel = Mutex<(any Channel)?>(nil)
    private let owner: Owner
    /// Kept over stops and starts, so that no other test's server gets the port meanwhile.
    private let reserved: ReservedPort
    var port: Int { self.reserved.port }

    init() async throws {
        let owner = Owner()
        let reserved = try ReservedPort()
        let channel = try await Self.listen(port: reserved.port, owner)
        self.reserved = reserved
        self.owner = owner
        self.channel.withLock { $0 = channel }
        owner.broker.withLock { $0 = self }
    }

    /// How the connections find the broker, which is made after its listener.
    private final class Owner: Sendable {
        let broker = Mutex<RecordingBroker?>(nil)
    }

    private static func listen(port: Int, _ owner: Owner) async throws -> any Channel {
        try await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .serverChannelOption(.socketOption(.init(rawValue: SO_REUSEPORT)), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.configureHTTPServerPipeline()
                    try channel.pipeline.syncOperations.addHandler(Recorder(owner: owner))
                }
            }
            .bind(host: "127.0.0.1", port: port).get()
    }

    /// Refuses connections, and answers on none, until `start`.
    func stop() async throws {
        let channel = self.channel.withLock { channel in
            defer { channel = nil }
            return channel
        }
        try await channel?.close()
    }

    func start() async throws {
        let channel = try await Self.listen(port: self.port, self.owner)
        self.channel.withLock { $0 = channel }
    }

    /// Decides the status of each request from now on.
    func answer(_ decide: @escaping @Sendable ([Event]) -> Int) {
        self.state.withLock { $0.answer = decide }
    }

    /// Decides the status of each request to end something, by what follows the app's id in its path.
    func answerTerminations(_ decide: @escaping @Sendable (String) -> Int) {
        self.state.withLock { $0.answerTermination = decide }
    }

    var snapshot: Snapshot { self.state.withLock { Self.snapshot(&$0) } }

    private static func snapshot(_ state: inout State) -> Snapshot {
        Snapshot(
            events: state.events, terminations: state.terminations, requests: state.requests, refused: state.refused)
    }

    var terminations: [Termination] { self.snapshot.terminations }
    var events: [Event] { self.snapshot.events }
    var badSignatures: Int { self.state.withLock { $0.badSignatures } }

    /// Waits until the condition holds, or until the test's time limit cancels it.
    func wait(until isMet: @escaping @Sendable (Snapshot) -> Bool) async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isOver = self.state.withLock { state in
                    if isMet(Self.snapshot(&state)) || Task.isCancelled { return true }
                    state.waiters.append((isMet, continuation))
                    return false
                }
                if isOver { continuation.resume() }
            }
        } onCancel: {
            let waiters = self.state.withLock { state in
                defer { state.waiters = [] }
                return state.waiters
            }
            for waiter in waiters { waiter.continuation.resume() }
        }
    }

    func waitForEvents(_ count: Int) async -> [Event] {
        await self.wait { $0.events.count >= count }
        return self.events
    }

    /// The status to answer with; nil to hang up.
    private func receive(_ head: HTTPRequestHead, _ body: [UInt8]) -> Int? {
        guard self.channel.withLock({ $0 != nil }) else { return nil }
        let (status, met) = self.state.withLock { state -> (Int, [CheckedContinuation<Void, Never>]) in
            var status = 401
            if Self.isSigned(head, body), let termination = Self.termination(head.uri, body, request: state.requests) {
                status = state.answerTermination(termination.path)
                if status == 200 { state.terminations.append(termination) } else { state.refused += 1 }
            } else if Self.isSigned(head, body) {
                let events = Self.events(head.uri, body, request: state.requests)
                status = state.answer(events)
                if status == 200 { state.events += events } else { state.refused += 1 }
            } else {
                state.badSignatures += 1
            }
            state.requests += 1
            let snapshot = Self.snapshot(&state)
            let met = state.waiters.filter { $0.isMet(snapshot) }.map(\.continuation)
            state.waiters.removeAll { $0.isMet(snapshot) }
            return (status, met)
        }
        for continuation in met { continuation.resume() }
        return status
    }

    /// Checks the request as section 8.3 of the protocol facts says.
    private static func isSigned(_ head: HTTPRequestHead, _ body: [UInt8]) -> Bool {
        let halves = head.uri.split(separator: "?", maxSplits: 1)
        guard halves.count == 2 else { return false }
        let parameters = halves[1].split(separator: "&").map { pair in
            let parts = pair.split(separator: "=", maxSplits: 1).map(String.init)
            return (name: parts[0], value: parts.count > 1 ? parts[1] : "")
        }
        func value(_ name: String) -> String? { parameters.first { $0.name == name }?.value }
        let text = RequestSignature.stringToSign(
            method: "\(head.method)", path: String(halves[0]), parameters: parameters)
        return value("body_md5") == (body.isEmpty ? nil : MD5.hex(body)) && value("auth_key") == self.credentials.key
            && self.credentials.secret.sign(text).hex == value("auth_signature")
    }

    private static func termination(_ uri: String, _ body: [UInt8], request: Int) -> Termination? {
        guard let path = uri.split(separator: "?").first, path.hasPrefix("/apps/app-1/"), path.contains("/terminate_")
        else { return nil }
        let json = (try? Value(parsing: String(decoding: body, as: UTF8.self))) ?? .null
        return Termination(
            path: String(path.dropFirst("/apps/app-1".count)), sockets: json["socket_ids"].items.compactMap(\.string),
            reconnects: json["reconnect"] == .bool(true), request: request)
    }

    private static func events(_ uri: String, _ body: [UInt8], request: Int) -> [Event] {
        guard let json = try? Value(parsing: String(decoding: body, as: UTF8.self)) else { return [] }
        func event(_ json: Value, _ channel: Value) -> Event {
            Event(
                channel: channel.string ?? "", name: json["name"].string ?? "", data: json["data"].string ?? "",
                socketID: json["socket_id"].string, request: request)
        }
        if uri.hasPrefix("/apps/app-1/batch_events?") { return json["batch"].items.map { event($0, $0["channel"]) } }
        if uri.hasPrefix("/apps/app-1/events?") { return json["channels"].items.map { event(json, $0) } }
        return []
    }

    private final class Recorder: ChannelInboundHandler {
        typealias InboundIn = HTTPServerRequestPart
        typealias OutboundOut = HTTPServerResponsePart

        private let owner: Owner
        private var head: HTTPRequestHead?
        private var body: [UInt8] = []

        init(owner: Owner) { self.owner = owner }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            switch self.unwrapInboundIn(data) {
            case .head(let head):
                self.head = head
                self.body = []
            case .body(let buffer): self.body += Array(buffer.readableBytesView)
            case .end:
                guard let head = self.head else { return }
                guard let status = self.owner.broker.withLock({ $0 })?.receive(head, self.body) else {
                    context.close(promise: nil)
                    return
                }
                let response = HTTPResponseHead(
                    version: .http1_1, status: HTTPResponseStatus(statusCode: status),
                    headers: ["content-length": "2", "content-type": "application/json"])
                context.write(self.wrapOutboundOut(.head(response)), promise: nil)
                context.write(self.wrapOutboundOut(.body(.byteBuffer(ByteBuffer(string: "{}")))), promise: nil)
                context.writeAndFlush(self.wrapOutboundOut(.end(nil)), promise: nil)
            }
        }
    }
}
