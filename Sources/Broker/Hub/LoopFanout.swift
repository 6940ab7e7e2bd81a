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
    mutating func run(inbox: LoopInbox, subscribers: LoopSubscribers) {
        var deliveries: [Delivery] = []
        swap(&deliveries, &self.batch)
        inbox.take(into: &deliveries)
        var start = 0
        while start < deliveries.count {
            if deliveries[start].isTermination {
                self.terminate(deliveries[start], subscribers: subscribers)
                start += 1
                continue
            }
            let limit = min(start + Self.batchSize, deliveries.count)
            let end = deliveries[start..<limit].firstIndex { $0.isTermination } ?? limit
            self.send(deliveries[start..<end], subscribers: subscribers)
            start = end
        }
        deliveries.removeAll(keepingCapacity: deliveries.capacity <= 4 * Self.batchSize)
        swap(&deliveries, &self.batch)
    }

    private mutating func send(_ deliveries: ArraySlice<Delivery>, subscribers: LoopSubscribers) {
        for (bit, delivery) in deliveries.enumerated() {
            guard let channel = subscribers.channel(delivery.channel, app: delivery.app) else { continue }
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

    /// Closes everybody who was subscribed when it was asked for.
    private func terminate(_ delivery: Delivery, subscribers: LoopSubscribers) {
        guard let channel = subscribers.channel(delivery.channel, app: delivery.app) else { return }
        let ended = channel.subscribers.filter { $0.joinedAt < delivery.sequence }.map(\.connection)
        for connection in ended { connection.close(with: .terminated) }
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
