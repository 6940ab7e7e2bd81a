import NIOCore
import PusherProtocol

/// Hands a tick's deliveries to the sockets of one loop. Confined to its loop.
///
/// Each connection's part of a batch is a bit mask over its deliveries. A connection with one bit gets the frame that
/// all share; one with several gets them joined, in order, in one write, and whoever has the same mask gets the same
/// joined bytes. So a tick costs one system call a connection, whatever was published, and the order of one connection's
/// events is that in which they were published, across channels too.
struct LoopFanout {
    private static let batchSize = 64

    private var batch: [Delivery] = []
    private var audience: [Connection] = []
    private var joined: [UInt8] = []

    /// Takes what the inbox holds and sends it.
    mutating func run(inbox: LoopInbox, subscribers: LoopSubscribers, sockets: LoopSockets) {
        var deliveries: [Delivery] = []
        swap(&deliveries, &self.batch)
        inbox.take(into: &deliveries)
        var start = 0
        while start < deliveries.count {
            if !deliveries[start].isFrame {
                self.end(deliveries[start], subscribers: subscribers, sockets: sockets)
                start += 1
                continue
            }
            let limit = min(start + Self.batchSize, deliveries.count)
            let end = deliveries[start..<limit].firstIndex { !$0.isFrame } ?? limit
            self.send(deliveries[start..<end], subscribers: subscribers)
            start = end
        }
        deliveries.removeAll(keepingCapacity: deliveries.capacity <= 4 * Self.batchSize)
        swap(&deliveries, &self.batch)
    }

    private mutating func send(_ deliveries: ArraySlice<Delivery>, subscribers: LoopSubscribers) {
        for (bit, delivery) in deliveries.enumerated() {
            guard let name = delivery.channel, let channel = subscribers.channel(name, app: delivery.app) else {
                continue
            }
            for subscriber in channel.subscribers where subscriber.joinedAt < delivery.sequence {
                let connection = subscriber.connection
                if let excluded = delivery.excluded, connection.socketID == excluded { continue }
                if connection.share == 0 { self.audience.append(connection) }
                connection.share |= 1 << UInt64(bit)
            }
        }
        var joinedShare: UInt64 = 0
        for connection in self.audience {
            let share = connection.share
            connection.share = 0
            if share & (share - 1) == 0 {
                deliveries[deliveries.startIndex + share.trailingZeroBitCount].withFrame { connection.send($0) }
                continue
            }
            if share != joinedShare {
                self.join(deliveries, share: share)
                joinedShare = share
            }
            self.joined.withUnsafeBytes { connection.send($0) }
        }
        self.audience.removeAll(keepingCapacity: true)
        if self.joined.capacity > 1 << 20 { self.joined = [] }
    }

    /// Ends connections, or subscriptions, of those who were there when it was asked for.
    private func end(_ delivery: Delivery, subscribers: LoopSubscribers, sockets: LoopSockets) {
        switch delivery.content {
        case .frame: break
        case .termination:
            for connection in Self.audience(of: delivery, subscribers) { connection.close(with: .terminated) }
        case .removal(let frame):
            guard let channel = delivery.channel else { return }
            for connection in Self.audience(of: delivery, subscribers) {
                connection.endSubscription(to: channel, saying: frame)
            }
        case .closing(let identifiers, let error):
            for identifier in identifiers { sockets.connection(identifier, app: delivery.app)?.terminate(with: error) }
        }
    }

    private static func audience(of delivery: Delivery, _ subscribers: LoopSubscribers) -> [Connection] {
        guard let name = delivery.channel, let channel = subscribers.channel(name, app: delivery.app) else { return [] }
        return channel.subscribers.filter { $0.joinedAt < delivery.sequence }.map(\.connection)
    }

    private mutating func join(_ deliveries: ArraySlice<Delivery>, share: UInt64) {
        self.joined.removeAll(keepingCapacity: true)
        var rest = share
        while rest != 0 {
            let index = deliveries.startIndex + rest.trailingZeroBitCount
            deliveries[index].withFrame { self.joined.append(contentsOf: $0) }
            rest &= rest - 1
        }
    }
}
