package import PusherProtocol

/// A set of event loops, by index.
package struct LoopSet: Equatable, Sendable, Sequence {
    /// How many loops there can be.
    package static let capacity = 64

    private var bits: UInt64 = 0

    package init() {}

    package mutating func insert(_ loop: Int) { self.bits |= 1 << UInt64(loop) }
    mutating func remove(_ loop: Int) { self.bits &= ~(1 << UInt64(loop)) }

    package struct Iterator: IteratorProtocol {
        fileprivate var bits: UInt64

        package mutating func next() -> Int? {
            guard self.bits != 0 else { return nil }
            defer { self.bits &= self.bits - 1 }
            return self.bits.trailingZeroBitCount
        }
    }

    package func makeIterator() -> Iterator { Iterator(bits: self.bits) }
}

/// The channels of one shard of an app, and the one order in which everything happens to them.
///
/// Pure. Every change takes the next sequence number. What is delivered with number *n* reaches exactly the
/// subscriptions whose own number is below *n*: so nobody hears of their own arrival, and nobody who joins gets what
/// was published before. The sequence is the shard's and never restarts: a channel that empties and comes back must
/// not let its old deliveries pass.
package struct ChannelTable: Sendable {
    private struct Channel {
        /// Subscriptions by loop.
        var counts: [Int32]
        var total = 0
        var audience = LoopSet()
        var roster = PresenceRoster()
    }

    /// Something to deliver to the subscriptions with a lower number on the loops of `audience`.
    package struct Delivery: Equatable, Sendable {
        package let sequence: UInt64
        package let audience: LoopSet
    }

    package enum JoinOutcome: Equatable, Sendable {
        /// Subscribed with this number. On a presence channel `members` is everybody, and `announce` says where
        /// `member_added` is owed.
        case joined(sequence: UInt64, members: [PresenceMember], announce: Delivery?)
        /// The presence channel has no place for another user.
        case full
    }

    private let loops: Int
    private var sequence: UInt64 = 0
    private var channels: [ChannelName: Channel] = [:]

    /// - Parameter loops: how many event loops there are, 1…`LoopSet.capacity`.
    package init(loops: Int) {
        precondition((1...LoopSet.capacity).contains(loops), "a broker has 1 to \(LoopSet.capacity) event loops")
        self.loops = loops
    }

    private mutating func nextSequence() -> UInt64 {
        self.sequence += 1
        return self.sequence
    }

    /// Adds a subscription that lives on `loop`. `member` is who joins a presence channel.
    package mutating func join(
        _ channel: ChannelName, loop: Int, member: PresenceMember?, memberLimit: Int
    ) -> JoinOutcome {
        var entry =
            self.channels.removeValue(forKey: channel) ?? Channel(counts: Array(repeating: 0, count: self.loops))
        let audience = entry.audience
        var isNew = false
        if let member {
            switch entry.roster.join(member, limit: memberLimit) {
            case .isNew: isNew = true
            case .isKnown: break
            case .full:
                if entry.total > 0 { self.channels[channel] = entry }
                return .full
            }
        }
        entry.counts[loop] += 1
        entry.total += 1
        entry.audience.insert(loop)
        let sequence = self.nextSequence()
        let members = member == nil ? [] : entry.roster.members
        self.channels[channel] = entry
        return .joined(
            sequence: sequence, members: members,
            announce: isNew ? Delivery(sequence: sequence, audience: audience) : nil)
    }

    /// Takes a subscription away. `userID` is who leaves a presence channel; the result says where `member_removed`
    /// is owed, if it is.
    package mutating func leave(_ channel: ChannelName, loop: Int, userID: String?) -> Delivery? {
        guard var entry = self.channels.removeValue(forKey: channel) else { return nil }
        let wasLast = userID.map { entry.roster.leave($0) } ?? false
        entry.counts[loop] -= 1
        entry.total -= 1
        if entry.counts[loop] == 0 { entry.audience.remove(loop) }
        let sequence = self.nextSequence()
        guard entry.total > 0 else { return nil }
        defer { self.channels[channel] = entry }
        return wasLast ? Delivery(sequence: sequence, audience: entry.audience) : nil
    }

    /// Where an event published now goes; nil when nobody is subscribed.
    package mutating func publish(_ channel: ChannelName) -> Delivery? {
        guard let audience = self.channels[channel]?.audience else { return nil }
        return Delivery(sequence: self.nextSequence(), audience: audience)
    }

    /// How many are subscribed; nil when nobody is.
    package func occupancy(of channel: ChannelName) -> ChannelOccupancy? {
        self.channels[channel].map { Self.occupancy(channel, $0) }
    }

    /// The users of a presence channel, in the order they came.
    package func members(of channel: ChannelName) -> [PresenceMember] {
        self.channels[channel]?.roster.members ?? []
    }

    /// All occupied channels whose name begins with `prefix`, in no order.
    package func occupied(prefix: String) -> [(channel: ChannelName, occupancy: ChannelOccupancy)] {
        self.channels.compactMap { channel, entry in
            guard channel.text.utf8.starts(with: prefix.utf8) else { return nil }
            return (channel, Self.occupancy(channel, entry))
        }
    }

    private static func occupancy(_ channel: ChannelName, _ entry: Channel) -> ChannelOccupancy {
        ChannelOccupancy(
            subscriptions: entry.total, users: channel.kind == .presence ? entry.roster.count : nil)
    }
}
