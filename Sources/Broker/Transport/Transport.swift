import Addresses
import Glibc
import NIOCore

/// What carries a connection's bytes: a socket on an `EpollLoop`, or one of NIO's channels, which can put TLS in
/// between (decision 21). Owned by its connection, touched on its loop only.
///
/// It calls the connection: `opened` first, `received` for what has come, `written` when the bytes given to `write` have
/// gone, `ended` last, also before `close` returns.
protocol Transport: AnyObject {
    /// The socket, for sending straight to it while nothing waits. Not to be kept longer than until `ended`; nil when
    /// something has to happen to the bytes on their way.
    var descriptor: CInt? { get }
    /// The address at the other end; nil when the socket has gone.
    var peer: IPAddress? { get }
    var usesTLS: Bool { get }
    /// Bytes given to `write` that the peer has not taken yet: here, and in the kernel, which holds a megabyte and more.
    var unsentBytes: Int { get }

    /// Writes when there is room. One call at a time: the next comes after `written`.
    func write(_ buffer: ByteBuffer)
    /// Tells the peer that nothing more comes. What it says is still received.
    func closeOutput()
    /// Ends a connection on which nothing is being said; a TLS peer is told so, and has a moment to agree.
    func closePolitely()
    /// Cuts the connection.
    func close()
}

/// A listener that is open, whatever its transport. Any thread may use it.
struct Listening: Sendable {
    /// The port, also when any free one was asked for.
    let port: Int
    /// Completes when no connection is accepted any more.
    let closed: EventLoopFuture<Void>
    let close: @Sendable () -> Void
}

extension IPAddress {
    /// nil for an address of another kind.
    init?(_ address: SocketAddress) {
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

/// What the kernel has of a socket's output that the peer has not acknowledged.
func bytesInKernel(_ descriptor: CInt) -> Int {
    var bytes: CInt = 0
    return ioctl(descriptor, UInt(TIOCOUTQ), &bytes) == 0 ? Int(bytes) : 0
}
