internal import CEpoll
import Glibc
import Logging
import NIOCore

/// Accepts connections on the first of several `EpollLoop`s and deals them out to all. What one turn accepts goes to the
/// loop that was dealt the fewest: waking another loop costs more than accepting.
final class SocketListener: EventSource {
    /// A loop and what its connections share.
    typealias Place = (loop: EpollLoop, context: NIOLoopBound<LoopContext>)

    /// Connections that one turn accepts.
    private static let acceptedPerTurn = 64
    /// How long nothing is accepted when there are no descriptors left.
    private static let pause = TimeAmount.milliseconds(100)

    private let socket: CInt
    private let places: [Place]
    /// How many connections each place was dealt.
    private var dealt: [Int]
    private var isOpen = true

    private init(socket: CInt, places: [Place]) {
        self.socket = socket
        self.places = places
        self.dealt = places.map { _ in 0 }
    }

    /// Throws an `IOError` when the address cannot be listened on.
    static func open(_ address: SocketAddress, places: [Place]) async throws -> Listening {
        let socket = try self.bind(address)
        do {
            let port = try self.port(of: socket)
            let first = places[0].loop
            return try await first.submit {
                let listener = SocketListener(socket: socket, places: places)
                try first.add(socket, listener)
                let handle = NIOLoopBound(listener, eventLoop: first)
                let closed = first.makePromise(of: Void.self)
                return Listening(port: port, closed: closed.futureResult) {
                    first.execute { handle.value.close(closed) }
                }
            }.get()
        } catch {
            Glibc.close(socket)
            throw error
        }
    }

    private static func bind(_ address: SocketAddress) throws -> CInt {
        let family = address.protocol == .inet6 ? AF_INET6 : AF_INET
        let kind = CInt(SOCK_STREAM.rawValue) | CInt(SOCK_NONBLOCK.rawValue) | CInt(SOCK_CLOEXEC.rawValue)
        let socket = try EpollLoop.checked(Glibc.socket(family, kind, 0), "socket")
        do {
            try self.enable(SOL_SOCKET, SO_REUSEADDR, on: socket)
            // Those that are accepted inherit it.
            try self.enable(CInt(IPPROTO_TCP), TCP_NODELAY, on: socket)
            _ = try address.withSockAddr { start, size in
                try EpollLoop.checked(Glibc.bind(socket, start, socklen_t(size)), "bind")
            }
            _ = try EpollLoop.checked(listen(socket, 4096), "listen")
            return socket
        } catch {
            Glibc.close(socket)
            throw error
        }
    }

    private static func enable(_ level: CInt, _ option: CInt, on socket: CInt) throws {
        var one: CInt = 1
        let size = socklen_t(MemoryLayout<CInt>.size)
        _ = try EpollLoop.checked(setsockopt(socket, level, option, &one, size), "setsockopt")
    }

    private static func port(of socket: CInt) throws -> Int {
        var address = sockaddr_storage()
        return try withUnsafeMutableBytes(of: &address) { bytes in
            var length = socklen_t(bytes.count)
            let start = bytes.baseAddress?.assumingMemoryBound(to: sockaddr.self)
            _ = try EpollLoop.checked(getsockname(socket, start, &length), "getsockname")
            // Where both `sockaddr_in` and `sockaddr_in6` have the port, in network order.
            return Int(UInt16(bigEndian: bytes.load(fromByteOffset: 2, as: UInt16.self)))
        }
    }

    func ready(_ events: UInt32) {
        var accepted: [CInt] = []
        defer { self.deal(accepted) }
        for _ in 0..<Self.acceptedPerTurn {
            let flags = CInt(SOCK_NONBLOCK.rawValue) | CInt(SOCK_CLOEXEC.rawValue)
            let descriptor = accept4(self.socket, nil, nil, flags)
            guard descriptor >= 0 else {
                switch errno {
                case EAGAIN: return
                // Of a connection that ended before it was accepted (accept(2)).
                case EINTR, ECONNABORTED, ENETDOWN, EPROTO, ENOPROTOOPT, EHOSTDOWN, ENONET, EHOSTUNREACH, EOPNOTSUPP,
                    ENETUNREACH:
                    continue
                default: return self.pause(errno)
                }
            }
            accepted.append(descriptor)
        }
    }

    private func deal(_ descriptors: [CInt]) {
        guard !descriptors.isEmpty,
            let index = self.dealt.indices.min(by: { self.dealt[$0] < self.dealt[$1] })
        else { return }
        self.dealt[index] += descriptors.count
        let (loop, context) = self.places[index]
        let take: @Sendable () -> Void = {
            for descriptor in descriptors { SocketTransport.open(descriptor, on: loop, context: context.value) }
        }
        if loop.inEventLoop { take() } else { loop.execute(take) }
    }

    /// Nothing can be accepted: others must close something first.
    private func pause(_ error: CInt) {
        let (loop, context) = self.places[0]
        context.value.logger.warning(
            "Connections wait to be accepted", metadata: ["error": "\(IOError(errnoCode: error, reason: "accept4"))"])
        loop.watch(self.socket, 0)
        let listener = NIOLoopBound(self, eventLoop: loop)
        _ = loop.scheduleTask(in: Self.pause) {
            let listener = listener.value
            if listener.isOpen { loop.watch(listener.socket, EPOLLIN.rawValue) }
        }
    }

    private func close(_ closed: EventLoopPromise<Void>) {
        guard self.isOpen else { return }
        self.isOpen = false
        self.places[0].loop.close(self.socket)
        closed.succeed()
    }
}
