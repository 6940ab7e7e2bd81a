import NIOCore
import PusherProtocol
import Synchronization

/// Something on its way to a channel's subscribers on one loop, or to connections of that loop.
struct Delivery: Sendable {
    enum Content: Sendable {
        /// A whole WebSocket frame; every subscriber gets these very bytes.
        case frame(ByteBuffer)
        /// The subscribers' connections are closed: their user may not stay.
        case termination
        /// The subscribers are taken off the channel, and told so with this frame.
        case removal(ByteBuffer)
        /// These connections are closed, whatever they are subscribed to.
        case closing(Set<SocketID>, ProtocolError)
    }

    /// The app's number.
    let app: Int
    /// nil for what is not about a channel.
    let channel: ChannelName?
    /// Reaches the subscriptions with a lower number (`ChannelTable`).
    let sequence: UInt64
    let content: Content
    let excluded: SocketID?
    /// When somebody published it, on the loops' clock; nil for what the broker itself has to say.
    var published: UInt64?

    /// Bytes that wait while it does.
    var size: Int { if case .frame(let frame) = self.content { frame.readableBytes } else { 0 } }

    var isFrame: Bool { if case .frame = self.content { true } else { false } }
}

/// What other threads hand to a loop. Any thread may put; the loop takes everything at once, when it has dealt out what it took before.
///
/// Deliveries are taken in the order they were put. The lock is the only state and is held for an append or a swap.
final class LoopInbox: Sendable {
    private struct State {
        var deliveries: [Delivery] = []
        var bytes = 0
        var isScheduled = false
        var drain: @Sendable () -> Void = {}
    }

    private let eventLoop: any EventLoop
    private let state = Mutex(State())

    init(eventLoop: any EventLoop) {
        self.eventLoop = eventLoop
    }

    /// Says what runs on the loop after something was put; called once, before the first connection.
    func onDelivery(_ drain: @escaping @Sendable () -> Void) {
        self.state.withLock { $0.drain = drain }
    }

    /// Adds a delivery. True when the loop must be woken by `wake`, which may wait until the caller's locks are gone.
    func put(_ delivery: Delivery) -> Bool {
        self.state.withLock { state in
            state.deliveries.append(delivery)
            state.bytes += delivery.size
            guard !state.isScheduled else { return false }
            state.isScheduled = true
            return true
        }
    }

    /// Bytes of frames that wait for the loop.
    var bytes: Int { self.state.withLock { $0.bytes } }

    func wake() {
        self.eventLoop.execute(self.state.withLock { $0.drain })
    }

    /// Exchanges the waiting deliveries for `deliveries`, which is empty and brings its capacity.
    func take(into deliveries: inout [Delivery]) {
        self.state.withLock { state in
            swap(&deliveries, &state.deliveries)
            state.bytes = 0
            state.isScheduled = false
        }
    }
}
