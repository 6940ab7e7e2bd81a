import NIOCore
import PusherProtocol

/// Stands in for the broker's `Connection`: what the hub needs of one, without a socket. The hub's own sources are
/// compiled together with this.
final class Connection {
    enum State {
        case webSocket(PusherSession)
        case closed
    }

    let state: State
    let socketID: SocketID?
    var share: UInt64 = 0
    var subscriptions: [Subscription] = []
    private(set) var sentBytes = 0

    init(app: ServedApp, number: Int) {
        self.state = .webSocket(PusherSession(app: app))
        self.socketID = SocketID(first: 1, second: UInt32(number))
    }

    func send(_ bytes: UnsafeRawBufferPointer) { self.sentBytes += bytes.count }

    func moveSubscription(_ slot: Int, to index: Int) { self.subscriptions[slot].index = index }

    func endSubscription(to channel: ChannelName, saying frame: ByteBuffer) {}
    func close(with error: ProtocolError) {}
    func terminate(with error: ProtocolError) {}
}

final class PusherSession {
    let app: ServedApp

    init(app: ServedApp) { self.app = app }
}
