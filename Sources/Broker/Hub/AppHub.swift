import BrokerCore
import NIOCore
import PusherProtocol
import Synchronization
import Wire

/// One app's channels, across all loops. Any thread may call it; nothing here blocks for longer than a table look-up.
///
/// What happens to a channel happens under its shard's lock, and what is owed to its subscribers is put into their
/// loops' inboxes under the same lock: so every loop sees a channel's events in one order. Lock order: shard, inbox.
final class AppHub: Sendable {
    private final class Shard: Sendable {
        let table: Mutex<ChannelTable>

        init(loops: Int) {
            self.table = Mutex(ChannelTable(loops: loops))
        }
    }

    private static let shardCount = 16

    /// The app's number: no other app gets it while the broker runs.
    let index: Int
    private let shards: [Shard]
    private let inboxes: [LoopInbox]
    private let maxInboxBytes: Int
    private let connectionCount = Atomic<Int>(0)

    init(index: Int, inboxes: [LoopInbox], maxInboxBytes: Int) {
        self.index = index
        self.inboxes = inboxes
        self.maxInboxBytes = maxInboxBytes
        self.shards = (0..<Self.shardCount).map { _ in Shard(loops: inboxes.count) }
    }

    private func shard(of channel: ChannelName) -> Shard {
        self.shards[channel.hashValue & (Self.shardCount - 1)]
    }

    // MARK: Connections

    /// Counts a connection in; false when the app is over its quota.
    func admitConnection(to application: Application) -> Bool {
        let count = self.connectionCount.add(1, ordering: .relaxed).newValue
        guard let limit = application.rates.connections, count > limit else { return true }
        self.releaseConnection()
        return false
    }

    func releaseConnection() {
        self.connectionCount.subtract(1, ordering: .relaxed)
    }

    // MARK: Channels

    /// Subscribes a connection on `loop`, and tells the others of a new member.
    func subscribe(_ admission: Admission, loop: Int, of application: Application) -> ChannelTable.JoinOutcome {
        var woken = LoopSet()
        let outcome = self.shard(of: admission.channel).table.withLock { table in
            let outcome = table.join(
                admission.channel, loop: loop, member: admission.member,
                memberLimit: application.limits.presenceMembers)
            if case .joined(_, _, let announce?) = outcome, let member = admission.member {
                woken = self.put(
                    ServerFrame.memberAdded(channel: admission.channel, member: member), admission.channel, announce,
                    excluded: nil)
            }
            return outcome
        }
        for loop in woken { self.inboxes[loop].wake() }
        return outcome
    }

    /// Ends a subscription on `loop`, and tells the others when a member has gone.
    func unsubscribe(_ channel: ChannelName, loop: Int, userID: String?) {
        var woken = LoopSet()
        self.shard(of: channel).table.withLock { table in
            if let removal = table.leave(channel, loop: loop, userID: userID), let userID {
                woken = self.put(
                    ServerFrame.memberRemoved(channel: channel, userID: userID), channel, removal, excluded: nil)
            }
        }
        for loop in woken { self.inboxes[loop].wake() }
    }

    /// Publishes an event, given as the JSON that subscribers get, to all of a channel but one connection.
    func publish(_ event: [UInt8], to channel: ChannelName, excluded: SocketID?) {
        var woken = LoopSet()
        self.shard(of: channel).table.withLock { table in
            if let delivery = table.publish(channel) {
                woken = self.put(event, channel, delivery, excluded: excluded)
            }
        }
        for loop in woken { self.inboxes[loop].wake() }
    }

    /// Encodes once and puts the frame into the inbox of every loop that has subscribers. Called under the shard's
    /// lock; returns the loops to wake once it is gone.
    private func put(
        _ event: [UInt8], _ channel: ChannelName, _ delivery: ChannelTable.Delivery, excluded: SocketID?
    ) -> LoopSet {
        let frame = ByteBuffer(webSocketText: event)
        var woken = LoopSet()
        for loop in delivery.audience {
            let isIdle = self.inboxes[loop].put(
                Delivery(
                    app: self.index, channel: channel, sequence: delivery.sequence, frame: frame, excluded: excluded))
            if isIdle { woken.insert(loop) }
        }
        return woken
    }

    /// Whether some loop is so far behind that nothing more should be published now.
    ///
    /// Asked before an event is accepted: what has been accepted is delivered.
    var isOverloaded: Bool { self.inboxes.contains { $0.bytes > self.maxInboxBytes } }

    // MARK: Queries

    func occupancy(of channel: ChannelName) -> ChannelOccupancy? {
        self.shard(of: channel).table.withLock { $0.occupancy(of: channel) }
    }

    func members(of channel: ChannelName) -> [PresenceMember] {
        self.shard(of: channel).table.withLock { $0.members(of: channel) }
    }

    /// Occupied channels whose name begins with `prefix`, sorted by name.
    func occupied(prefix: String) -> [(channel: ChannelName, occupancy: ChannelOccupancy)] {
        self.shards
            .flatMap { shard in shard.table.withLock { $0.occupied(prefix: prefix) } }
            .sorted { $0.channel.text < $1.channel.text }
    }
}

extension ByteBuffer {
    /// One text frame to a client.
    init(webSocketText payload: [UInt8]) {
        self = ByteBufferAllocator().buffer(capacity: ServerWebSocketFrame.maxHeadLength + payload.count)
        self.writeWebSocketFrame(.text, payload)
    }

    /// Appends one frame to a client.
    mutating func writeWebSocketFrame(_ opcode: WebSocketOpcode, _ payload: some Collection<UInt8>) {
        self.writeWithUnsafeMutableBytes(minimumWritableBytes: ServerWebSocketFrame.maxHeadLength) {
            ServerWebSocketFrame.writeHead(opcode, payloadLength: payload.count, to: $0)
        }
        self.writeBytes(payload)
    }
}
