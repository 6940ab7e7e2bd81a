import NIOCore
import PusherProtocol
import Telemetry

/// Sends what is in a loop's inbox to the connections of that loop. Confined to its loop.
///
/// Each connection's part of a batch is a bit mask over its deliveries. A connection with one bit gets the frame that
/// all share; one with several gets them joined, in order, in one write, and whoever has the same mask gets the same
/// joined bytes. So a batch costs one system call a connection, whatever was published, and the order of one connection's
/// events is that in which they were published, across channels too.
///
/// A batch for many may take several turns of the loop. Nothing is taken from the inbox before it is done, and whoever
/// is still owed a part of it gets that before anything else happens to the connection (`catchUp`): so for each
/// connection it is as if the batch had gone out at once.
final class LoopFanout {
    private static let batchSize = 64
    /// How many connections are served, and blocks of bytes sent, between two looks at the clock.
    private static let stride = 16
    private static let block = 16 * 1024

    private(set) var counts = FanoutCounts()

    /// What was taken from the inbox, of which the first `begun` have been dealt out.
    private var deliveries: [Delivery] = []
    private var begun = 0
    /// What is being dealt out now, to whom, and how many of those have been served.
    private var batch = 0..<0
    private var audience: [Connection] = []
    private var served = 0
    /// Work since the last look at the clock.
    private var spent = 0
    private var joined: [UInt8] = []
    private var joinedShare: UInt64 = 0
    /// Counted once for all who get the same: counting the bits for each costs a third of the rest.
    private var joinedSize = (events: 0, bytes: 0)

    private let inbox: LoopInbox
    private let subscribers: LoopSubscribers
    private let sockets: LoopSockets

    init(inbox: LoopInbox, subscribers: LoopSubscribers, sockets: LoopSockets) {
        self.inbox = inbox
        self.subscribers = subscribers
        self.sockets = sockets
    }

    /// Deals out what waits, until `isTimeUp`; false when there is more.
    func run(isTimeUp: () -> Bool) -> Bool {
        while true {
            guard self.serve(isTimeUp: isTimeUp) else { return false }
            if self.begun == self.deliveries.count, !self.takeInbox() { return true }
            self.begin()
        }
    }

    /// Gives a connection its part of what is being dealt out.
    func catchUp(_ connection: Connection) {
        guard connection.share != 0 else { return }
        let sent = self.serve(connection)
        self.counts.deliveries += sent.events
        self.counts.bytes += sent.bytes
    }

    private func takeInbox() -> Bool {
        self.deliveries.removeAll(keepingCapacity: self.deliveries.capacity <= 4 * Self.batchSize)
        self.begun = 0
        self.inbox.take(into: &self.deliveries)
        return !self.deliveries.isEmpty
    }

    /// Finds out whom the next deliveries are for.
    private func begin() {
        let first = self.begun
        if self.deliveries[first].isFrame {
            let limit = min(first + Self.batchSize, self.deliveries.count)
            let end = self.deliveries[first..<limit].firstIndex { !$0.isFrame } ?? limit
            self.batch = first..<end
            self.dealFrames()
        } else {
            self.batch = first..<(first + 1)
            self.dealEnd(self.deliveries[first])
        }
        self.begun = self.batch.upperBound
    }

    private func dealFrames() {
        var channels: [LoopChannel] = []
        for index in self.batch {
            let delivery = self.deliveries[index]
            guard let name = delivery.channel, let channel = self.subscribers.channel(name, app: delivery.app) else {
                continue
            }
            if channel.share == 0 {
                channel.firstSequence = delivery.sequence
                channels.append(channel)
            }
            channel.share |= 1 << UInt64(index - self.batch.lowerBound)
        }
        for channel in channels {
            for subscriber in channel.subscribers {
                let share =
                    subscriber.joinedAt < channel.firstSequence
                    ? channel.share : self.share(of: channel, joinedAt: subscriber.joinedAt)
                self.add(share, to: subscriber.connection)
            }
            channel.share = 0
        }
        for index in self.batch {
            let delivery = self.deliveries[index]
            guard let excluded = delivery.excluded,
                let connection = self.sockets.connection(excluded, app: delivery.app)
            else { continue }
            connection.share &= ~(1 << UInt64(index - self.batch.lowerBound))
        }
    }

    /// What a subscription of that number gets of the channel's deliveries.
    private func share(of channel: LoopChannel, joinedAt: UInt64) -> UInt64 {
        var share: UInt64 = 0
        var rest = channel.share
        while rest != 0 {
            if joinedAt < self.deliveries[self.batch.lowerBound + rest.trailingZeroBitCount].sequence {
                share |= rest & ~(rest &- 1)
            }
            rest &= rest &- 1
        }
        return share
    }

    /// Connections, or subscriptions, of those who were there when it was asked for, are to end.
    private func dealEnd(_ delivery: Delivery) {
        if case .closing(let identifiers, _) = delivery.content {
            for identifier in identifiers {
                if let connection = self.sockets.connection(identifier, app: delivery.app) {
                    self.add(1, to: connection)
                }
            }
        } else if let name = delivery.channel, let channel = self.subscribers.channel(name, app: delivery.app) {
            for subscriber in channel.subscribers where subscriber.joinedAt < delivery.sequence {
                self.add(1, to: subscriber.connection)
            }
        }
    }

    private func add(_ share: UInt64, to connection: Connection) {
        if connection.share == 0, share != 0 { self.audience.append(connection) }
        connection.share |= share
    }

    /// Serves those who have not been served; false when the time is up.
    private func serve(isTimeUp: () -> Bool) -> Bool {
        var (events, bytes) = (0, 0)
        defer {
            self.counts.deliveries += events
            self.counts.bytes += bytes
        }
        while self.served < self.audience.count {
            if self.spent >= Self.stride {
                self.spent = 0
                if isTimeUp() { return false }
            }
            let connection = self.audience[self.served]
            self.served += 1
            guard connection.share != 0 else { continue }
            let sent = self.serve(connection)
            events += sent.events
            bytes += sent.bytes
            self.spent += 1 + sent.bytes / Self.block
        }
        if !self.audience.isEmpty { self.recordLatency() }
        self.audience.removeAll(keepingCapacity: true)
        self.served = 0
        self.joinedShare = 0
        if self.joined.capacity > 1 << 20 { self.joined = [] }
        return true
    }

    /// Serves one, and returns how many events it was sent, and bytes.
    private func serve(_ connection: Connection) -> (events: Int, bytes: Int) {
        let share = connection.share
        connection.share = 0
        // It may have said goodbye since the batch was begun.
        guard case .webSocket = connection.state else { return (0, 0) }
        let delivery = self.deliveries[self.batch.lowerBound + share.trailingZeroBitCount]
        switch delivery.content {
        case .frame(let frame):
            guard share & (share - 1) != 0 else {
                frame.withUnsafeReadableBytes { connection.send($0) }
                return (1, frame.readableBytes)
            }
            if share != self.joinedShare { self.join(share) }
            self.joined.withUnsafeBytes { connection.send($0) }
            return self.joinedSize
        case .termination: connection.close(with: .terminated)
        case .removal(let frame):
            if let channel = delivery.channel { connection.endSubscription(to: channel, saying: frame) }
        case .closing(_, let error): connection.terminate(with: error)
        }
        return (0, 0)
    }

    /// The batch has been handed to the last socket of this loop.
    private func recordLatency() {
        let now = NIODeadline.now().uptimeNanoseconds
        for delivery in self.deliveries[self.batch] {
            guard let published = delivery.published else { continue }
            self.counts.latency.record(nanoseconds: now > published ? now - published : 0)
        }
    }

    private func join(_ share: UInt64) {
        self.joined.removeAll(keepingCapacity: true)
        self.joinedShare = share
        var rest = share
        while rest != 0 {
            if case .frame(let frame) = self.deliveries[self.batch.lowerBound + rest.trailingZeroBitCount].content {
                frame.withUnsafeReadableBytes { self.joined.append(contentsOf: $0) }
            }
            rest &= rest - 1
        }
        self.joinedSize = (share.nonzeroBitCount, self.joined.count)
    }
}
