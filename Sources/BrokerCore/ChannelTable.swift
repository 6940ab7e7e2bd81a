package import PusherProtocol

/// The channels of one shard of an app, and the one order in which everything happens to them.
///
/// Pure. Every change takes the next sequence number. What is delivered with number *n* reaches exactly the
/// subscriptions whose own number is below *n*: so nobody hears of their own arrival, and nobody who joins gets what
/// was published before. The sequence is the shard's and never restarts: a channel that empties and comes back must
/// not let its old deliveries pass.
///
/// Instants are nanoseconds of a clock that never goes back.
package struct ChannelTable: Sendable {
    private struct Channel {
        /// Subscriptions by loop.
        var counts: [Int32]
        var total = 0
        var audience = LoopSet()
        var roster = PresenceRoster()
        /// When the subscribers were last told how many they are.
        var countTold: UInt64?
    }

    /// Something to deliver to the subscriptions with a lower number on the loops of `audience`.
    package struct Delivery: Equatable, Sendable {
        package let sequence: UInt64
        package let audience: LoopSet
    }

    /// How many subscribe to a channel now, and where they are to be told.
    package struct CountChange: Equatable, Sendable {
        package let channel: ChannelName
        package let count: Int
        /// nil when nobody is left to tell.
        package let delivery: Delivery?
    }

    /// What a new subscriber of a cache channel gets.
    package enum CacheAnswer: Equatable, Sendable {
        case event(CachedEvent)
        /// Nothing is cached. `isNews` when webhooks are to be told: they were not since the channel became empty.
        case miss(isNews: Bool)
    }

    package struct Join: Equatable, Sendable {
        /// The subscription's number.
        package let sequence: UInt64
        /// Whether nobody was subscribed before.
        package var isFirst = false
        /// Everybody who is in a presence channel, the new one included.
        package var members: [PresenceMember] = []
        /// Where `member_added` is owed; nil when the user was there already.
        package var announce: Delivery?
        /// nil when the channel is not a cache channel.
        package var cache: CacheAnswer?
        package var count: CountChange?

        package init(sequence: UInt64) {
            self.sequence = sequence
        }
    }

    package enum JoinOutcome: Equatable, Sendable {
        case joined(Join)
        /// The presence channel has no place for another user.
        case full
    }

    package struct Departure: Equatable, Sendable {
        /// Whether nobody is subscribed any more.
        package var isLast = false
        /// Where `member_removed` is owed; nil when the user is still there.
        package var announce: Delivery?
        package var count: CountChange?

        package init() {}
    }

    /// Above so many subscribers they are told of changes no more often than this (6.2).
    private static let crowd = 100
    private static let crowdInterval: UInt64 = 5_000_000_000

    private let loops: Int
    private let shards: Int
    private var sequence: UInt64 = 0
    private var channels: [ChannelName: Channel] = [:]
    private var cache = ChannelCache()
    private var missed = MissedChannels()
    /// Crowded channels whose subscribers are still to be told how many they are.
    private var owedCounts: Set<ChannelName> = []

    /// - Parameters:
    ///   - loops: how many event loops there are, 1…`LoopSet.capacity`.
    ///   - shards: how many tables share what the app may cache.
    package init(loops: Int, shards: Int) {
        precondition((1...LoopSet.capacity).contains(loops), "a broker has 1 to \(LoopSet.capacity) event loops")
        self.loops = loops
        self.shards = shards
    }

    private mutating func nextSequence() -> UInt64 {
        self.sequence += 1
        return self.sequence
    }

    // MARK: Subscriptions

    /// Adds a subscription that lives on `loop`. `member` is who joins a presence channel.
    package mutating func join(
        _ channel: ChannelName, loop: Int, member: PresenceMember?, application: Application, now: UInt64
    ) -> JoinOutcome {
        var entry =
            self.channels.removeValue(forKey: channel) ?? Channel(counts: Array(repeating: 0, count: self.loops))
        let audience = entry.audience
        var isNew = false
        if let member {
            switch entry.roster.join(member, limit: application.limits.presenceMembers) {
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
        var join = Join(sequence: self.nextSequence())
        join.isFirst = entry.total == 1
        if member != nil { join.members = entry.roster.members }
        // A first member is news to the webhooks too, although nobody is there to hear of it.
        if isNew { join.announce = Delivery(sequence: join.sequence, audience: audience) }
        if channel.isCached { join.cache = self.cacheAnswer(for: channel, application: application, now: now) }
        join.count = self.countChanged(channel, &entry, application: application, now: now)
        self.channels[channel] = entry
        return .joined(join)
    }

    /// Takes a subscription away. `userID` is who leaves a presence channel.
    package mutating func leave(
        _ channel: ChannelName, loop: Int, userID: String?, application: Application, now: UInt64
    ) -> Departure {
        guard var entry = self.channels.removeValue(forKey: channel) else { return Departure() }
        let isGone = userID.map { entry.roster.leave($0) } ?? false
        entry.counts[loop] -= 1
        entry.total -= 1
        if entry.counts[loop] == 0 { entry.audience.remove(loop) }
        let sequence = self.nextSequence()
        var departure = Departure()
        departure.isLast = entry.total == 0
        if isGone { departure.announce = Delivery(sequence: sequence, audience: entry.audience) }
        departure.count = self.countChanged(channel, &entry, application: application, now: now)
        if entry.total > 0 { self.channels[channel] = entry }
        return departure
    }

    // MARK: Events

    /// Where an event published now goes; nil when nobody is subscribed.
    package mutating func publish(_ channel: ChannelName) -> Delivery? {
        guard let audience = self.channels[channel]?.audience else { return nil }
        return Delivery(sequence: self.nextSequence(), audience: audience)
    }

    /// Keeps an event for those who subscribe later to a cache channel, whether anybody is subscribed now or not.
    package mutating func store(
        name: [UInt8], data: [UInt8], for channel: ChannelName, application: Application, now: UInt64
    ) {
        let event = CachedEvent(name: name, data: data, expires: now + self.cacheTime(application))
        self.cache.store(event, of: channel, limit: application.limits.cacheBytes / self.shards)
        self.missed.forget(channel)
    }

    /// Gives up all that is cached.
    package mutating func emptyCache() {
        self.cache = ChannelCache()
        self.missed = MissedChannels()
    }

    /// The last event of a cache channel, if it is still kept.
    package func cached(_ channel: ChannelName, now: UInt64) -> CachedEvent? {
        self.cache.event(of: channel, now: now)
    }

    private mutating func cacheAnswer(
        for channel: ChannelName, application: Application, now: UInt64
    ) -> CacheAnswer {
        if let event = self.cache.event(of: channel, now: now) { return .event(event) }
        guard application.webhookEvents.contains(.cacheMiss) else { return .miss(isNews: false) }
        return .miss(isNews: self.missed.note(channel, now: now, until: now + self.cacheTime(application)))
    }

    private func cacheTime(_ application: Application) -> UInt64 {
        .nanoseconds(seconds: application.limits.cacheSeconds)
    }

    // MARK: Counts

    /// The number of subscribers has changed: tells them, at once or, when they are many, later.
    private mutating func countChanged(
        _ channel: ChannelName, _ entry: inout Channel, application: Application, now: UInt64
    ) -> CountChange? {
        if entry.total == 0 { self.owedCounts.remove(channel) }
        guard application.features.subscriptionCounts else { return nil }
        switch channel.kind {
        case .presence, .user, .watchers: return nil
        case .public, .private, .encrypted: break
        }
        if entry.total > Self.crowd, let told = entry.countTold, now < told + Self.crowdInterval {
            self.owedCounts.insert(channel)
            return nil
        }
        return self.countChange(channel, &entry, now: now)
    }

    private mutating func countChange(_ channel: ChannelName, _ entry: inout Channel, now: UInt64) -> CountChange {
        self.owedCounts.remove(channel)
        entry.countTold = now
        let delivery = Delivery(sequence: self.nextSequence(), audience: entry.audience)
        return CountChange(channel: channel, count: entry.total, delivery: entry.total > 0 ? delivery : nil)
    }

    /// Whether a crowd waits to be told how many it is.
    package var owesCounts: Bool { !self.owedCounts.isEmpty }

    /// The counts that have waited long enough.
    package mutating func dueCounts(now: UInt64) -> [CountChange] {
        self.owedCounts.compactMap { channel in
            guard var entry = self.channels[channel] else {
                self.owedCounts.remove(channel)
                return nil
            }
            guard now >= (entry.countTold ?? 0) + Self.crowdInterval else { return nil }
            defer { self.channels[channel] = entry }
            return self.countChange(channel, &entry, now: now)
        }
    }

    // MARK: Queries

    /// How many are subscribed; nil when nobody is.
    package func occupancy(of channel: ChannelName) -> ChannelOccupancy? {
        self.channels[channel].map { Self.occupancy(channel, $0) }
    }

    /// The users of a presence channel, in the order they came.
    package func members(of channel: ChannelName) -> [PresenceMember] {
        self.channels[channel]?.roster.members ?? []
    }

    /// All occupied channels whose name begins with `prefix`, in no order. Users' own channels are nobody's business.
    package func occupied(prefix: String) -> [(channel: ChannelName, occupancy: ChannelOccupancy)] {
        self.channels.compactMap { channel, entry in
            guard channel.kind != .user, channel.kind != .watchers,
                channel.text.utf8.starts(with: prefix.utf8)
            else { return nil }
            return (channel, Self.occupancy(channel, entry))
        }
    }

    private static func occupancy(_ channel: ChannelName, _ entry: Channel) -> ChannelOccupancy {
        ChannelOccupancy(
            subscriptions: entry.total, users: channel.kind == .presence ? entry.roster.count : nil)
    }
}
