import BrokerCore
import NIOCore
import PusherProtocol
import Synchronization
import Wire

/// One app's channels, across all loops. Any thread may call it; nothing here blocks for longer than a table look-up.
///
/// What happens to a channel happens under its shard's lock, and what is owed to its subscribers is put into their
/// loops' inboxes, and what is owed to webhooks into their sink, under the same lock: so everybody sees a channel's
/// events in one order. Lock order: shard, then inbox or sink.
final class AppHub: Sendable {
    private final class Shard: Sendable {
        let table: Mutex<ChannelTable>

        init(loops: Int) {
            self.table = Mutex(ChannelTable(loops: loops, shards: AppHub.shardCount))
        }
    }

    static let shardCount = 16

    /// The app's number: no other app gets it while the broker runs.
    let index: Int
    let id: String
    private let shards: [Shard]
    private let inboxes: [LoopInbox]
    private let maxInboxBytes: Int
    private let webhooks: (any WebhookSink)?
    private let connectionCount = Atomic<Int>(0)
    private let subscriptionCount = Atomic<Int>(0)
    private let channelCount = Atomic<Int>(0)
    private let publishCount = Atomic<Int>(0)
    private let clientEventCount = Atomic<Int>(0)
    private let owesCounts = Atomic<Bool>(false)
    private let publishRate = Mutex(EventRate())
    private let clientEventRate = Mutex(EventRate())

    init(id: String, index: Int, inboxes: [LoopInbox], maxInboxBytes: Int, webhooks: (any WebhookSink)?) {
        self.id = id
        self.index = index
        self.inboxes = inboxes
        self.maxInboxBytes = maxInboxBytes
        self.webhooks = webhooks
        self.shards = (0..<Self.shardCount).map { _ in Shard(loops: inboxes.count) }
    }

    /// A user's channel and that of the user's watchers are in one shard: whoever begins to watch learns how things
    /// stand and misses no change.
    private func shard(of channel: ChannelName) -> Shard {
        let hash = channel.userID.map(\.hashValue) ?? channel.hashValue
        return self.shards[hash & (Self.shardCount - 1)]
    }

    // MARK: Figures

    /// At present: WebSocket clients; subscriptions and occupied channels, users' own left out.
    var connections: Int { self.connectionCount.load(ordering: .relaxed) }
    var subscriptions: Int { self.subscriptionCount.load(ordering: .relaxed) }
    var channels: Int { self.channelCount.load(ordering: .relaxed) }
    /// Since the start: events that came over HTTP, one for each channel, and those that came from clients.
    var publishes: Int { self.publishCount.load(ordering: .relaxed) }
    var clientEvents: Int { self.clientEventCount.load(ordering: .relaxed) }

    // MARK: Limits

    /// Counts a connection in; false when the app is over its quota.
    func admitConnection(to application: Application) -> Bool {
        guard let limit = application.rates.connections else {
            self.connectionCount.add(1, ordering: .relaxed)
            return true
        }
        var count = self.connectionCount.load(ordering: .relaxed)
        while count < limit {
            let (isCounted, current) = self.connectionCount.compareExchange(
                expected: count, desired: count + 1, ordering: .relaxed)
            if isCounted { return true }
            count = current
        }
        return false
    }

    func releaseConnection() {
        self.connectionCount.subtract(1, ordering: .relaxed)
    }

    /// Counts events that are to be published over HTTP; nil when they may be, else after how many seconds they might.
    func admitPublishes(_ count: Int, to application: Application, now: UInt64) -> Int? {
        guard let limit = application.rates.publishesPerSecond else { return nil }
        let wait = self.publishRate.withLock { $0.admit(count, limit: limit, now: now) }
        return wait.map { Int(clamping: ($0 + 999_999_999) / 1_000_000_000) }
    }

    /// Counts a client event; false when the app has too many.
    func admitClientEvent(to application: Application, now: @autoclosure () -> UInt64) -> Bool {
        guard let limit = application.rates.clientEventsPerSecond else { return true }
        let now = now()
        return self.clientEventRate.withLock { $0.admit(1, limit: limit, now: now) } == nil
    }

    /// Whether some loop is so far behind that nothing more should be published now.
    ///
    /// Asked before an event is accepted: what has been accepted is delivered.
    var isOverloaded: Bool { self.inboxes.contains { $0.bytes > self.maxInboxBytes } }

    // MARK: Subscriptions

    /// Subscribes a connection on `loop`, and tells whom it concerns.
    func subscribe(
        _ admission: Admission, loop: Int, of application: Application, now: UInt64
    ) -> ChannelTable.JoinOutcome {
        let channel = admission.channel
        return self.change(channel) { table, woken in
            let outcome = table.join(
                channel, loop: loop, member: admission.member, application: application, now: now)
            guard case .joined(let join) = outcome else { return outcome }
            if channel.kind != .user { self.subscriptionCount.add(1, ordering: .relaxed) }
            if join.isFirst { self.arrived(channel, application, table: &table, woken: &woken) }
            if let announce = join.announce, let member = admission.member {
                let frame = ServerFrame.memberAdded(channel: channel, member: member)
                self.put(frame, channel, announce, excluded: nil, woken: &woken)
                self.tell(.memberAdded, of: application) { .memberAdded(channel, userID: member.userID) }
            }
            if case .miss(isNews: true) = join.cache { self.tell(.cacheMiss, of: application) { .cacheMiss(channel) } }
            if let count = join.count { self.announce(count, of: application, woken: &woken) }
            return outcome
        }
    }

    /// Ends a subscription on `loop`, and tells whom it concerns.
    func unsubscribe(_ channel: ChannelName, loop: Int, userID: String?, of application: Application, now: UInt64) {
        self.change(channel) { table, woken in
            let departure = table.leave(channel, loop: loop, userID: userID, application: application, now: now)
            if channel.kind != .user, channel.kind != .watchers {
                self.subscriptionCount.subtract(1, ordering: .relaxed)
            }
            if let announce = departure.announce, let userID {
                let frame = ServerFrame.memberRemoved(channel: channel, userID: userID)
                self.put(frame, channel, announce, excluded: nil, woken: &woken)
                self.tell(.memberRemoved, of: application) { .memberRemoved(channel, userID: userID) }
            }
            if let count = departure.count { self.announce(count, of: application, woken: &woken) }
            if departure.isLast { self.left(channel, application, table: &table, woken: &woken) }
        }
    }

    /// The first subscriber of a channel has come. On a user's channel that means: the user is online.
    private func arrived(
        _ channel: ChannelName, _ application: Application, table: inout ChannelTable, woken: inout LoopSet
    ) {
        switch channel.kind {
        case .watchers: break
        case .user: self.tellWatchers(of: channel, isOnline: true, table: &table, woken: &woken)
        default:
            self.channelCount.add(1, ordering: .relaxed)
            self.tell(.channelOccupied, of: application) { .channelOccupied(channel) }
        }
    }

    private func left(
        _ channel: ChannelName, _ application: Application, table: inout ChannelTable, woken: inout LoopSet
    ) {
        switch channel.kind {
        case .watchers: break
        case .user: self.tellWatchers(of: channel, isOnline: false, table: &table, woken: &woken)
        default:
            self.channelCount.subtract(1, ordering: .relaxed)
            self.tell(.channelVacated, of: application) { .channelVacated(channel) }
        }
    }

    // MARK: Users

    private func tellWatchers(
        of user: ChannelName, isOnline: Bool, table: inout ChannelTable, woken: inout LoopSet
    ) {
        let watchers = user.watchers
        guard let id = user.userID, let delivery = table.publish(watchers) else { return }
        let frame = ServerFrame.watchlist(online: isOnline ? [id] : [], offline: isOnline ? [] : [id])
        self.put(frame, watchers, delivery, excluded: nil, woken: &woken)
    }

    /// Begins to tell a connection on `loop` of a user's coming and going; says how things stand, and the number from
    /// which changes are told.
    func watch(
        _ user: ChannelName, loop: Int, of application: Application, now: UInt64
    ) -> (sequence: UInt64, isOnline: Bool)? {
        self.change(user) { table, _ in
            let outcome = table.join(user.watchers, loop: loop, member: nil, application: application, now: now)
            guard case .joined(let join) = outcome else { return nil }
            return (join.sequence, table.occupancy(of: user) != nil)
        }
    }

    /// Closes every connection that is signed in as a user, behind what has been published before (P103).
    func terminate(_ user: ChannelName) {
        self.change(user) { table, woken in
            guard let delivery = table.publish(user) else { return }
            self.put(.termination, user, delivery, excluded: nil, woken: &woken)
        }
    }

    // MARK: Terminations

    /// Closes connections wherever they are. What is published after this call has returned reaches none of them: it
    /// comes behind in the inbox of whichever loop they live on.
    func terminate(_ sockets: Set<SocketID>, with error: ProtocolError) {
        let delivery = Delivery(
            app: self.index, channel: nil, sequence: 0, content: .closing(sockets, error), excluded: nil)
        for inbox in self.inboxes where inbox.put(delivery) { inbox.wake() }
    }

    /// Ends all subscriptions to a channel. What is published after this call has returned reaches none of them.
    func terminateSubscriptions(to channel: ChannelName) {
        let frame = ByteBuffer(webSocketText: SubscriptionRefusal.terminated(channel).channelFrame)
        self.change(channel) { table, woken in
            guard let delivery = table.publish(channel) else { return }
            self.put(.removal(frame), channel, delivery, excluded: nil, woken: &woken)
        }
    }

    // MARK: Events

    /// Publishes an event that came over HTTP to all of a channel but one connection. `name` and `data` are JSON strings.
    func publish(
        name: [UInt8], data: [UInt8], to channel: ChannelName, excluded: SocketID?, of application: Application,
        now: UInt64
    ) {
        self.publishCount.add(1, ordering: .relaxed)
        self.change(channel) { table, woken in
            if channel.isCached {
                table.store(name: name, data: data, for: channel, application: application, now: now)
            }
            if let delivery = table.publish(channel) {
                let frame = ServerFrame.event(name: name, channel: channel, data: data)
                self.put(frame, channel, delivery, excluded: excluded, published: now, woken: &woken)
            }
        }
    }

    /// Relays a client event to all of a channel but its sender.
    func relay(
        _ event: WebhookEvent.RelayedClientEvent, to channel: ChannelName, of application: Application, now: UInt64
    ) {
        self.clientEventCount.add(1, ordering: .relaxed)
        var name = JSONWriter(reserving: event.name.utf8.count + 2)
        name.string(event.name)
        let frame = ServerFrame.event(name: name.bytes, channel: channel, data: event.data, userID: event.userID)
        self.change(channel) { table, woken in
            if let delivery = table.publish(channel) {
                self.put(frame, channel, delivery, excluded: event.sender, published: now, woken: &woken)
            }
            self.tell(.clientEvent, of: application) { .clientEvent(channel, event) }
        }
    }

    /// Gives up all cached events: the app is not served any more.
    func emptyCache() {
        for shard in self.shards { shard.table.withLock { $0.emptyCache() } }
    }

    // MARK: Counts

    private func announce(_ change: ChannelTable.CountChange, of application: Application, woken: inout LoopSet) {
        if let delivery = change.delivery {
            let frame = ServerFrame.subscriptionCount(channel: change.channel, count: change.count)
            self.put(frame, change.channel, delivery, excluded: nil, woken: &woken)
        }
        self.tell(.subscriptionCount, of: application) { .subscriptionCount(change.channel, change.count) }
    }

    /// Tells crowds how many they are, when it is time. Called now and then by one loop.
    func announceDueCounts(of application: Application, now: UInt64) {
        guard self.owesCounts.exchange(false, ordering: .relaxed) else { return }
        for shard in self.shards {
            self.change(shard) { table, woken in
                for change in table.dueCounts(now: now) { self.announce(change, of: application, woken: &woken) }
            }
        }
    }

    // MARK: Telling

    /// Runs `body` under the lock of a channel's shard, and then wakes the loops that it put something for.
    private func change<Result>(
        _ channel: ChannelName, _ body: (inout ChannelTable, inout LoopSet) -> Result
    ) -> Result {
        self.change(self.shard(of: channel), body)
    }

    private func change<Result>(_ shard: Shard, _ body: (inout ChannelTable, inout LoopSet) -> Result) -> Result {
        var woken = LoopSet()
        let result = shard.table.withLock { table in
            let result = body(&table, &woken)
            if table.owesCounts { self.owesCounts.store(true, ordering: .relaxed) }
            return result
        }
        for loop in woken { self.inboxes[loop].wake() }
        return result
    }

    /// Encodes once and puts the frame into the inbox of every loop that has subscribers. Under the shard's lock.
    private func put(
        _ event: [UInt8], _ channel: ChannelName, _ delivery: ChannelTable.Delivery, excluded: SocketID?,
        published: UInt64? = nil, woken: inout LoopSet
    ) {
        self.put(
            .frame(ByteBuffer(webSocketText: event)), channel, delivery, excluded: excluded, published: published,
            woken: &woken)
    }

    private func put(
        _ content: Delivery.Content, _ channel: ChannelName, _ delivery: ChannelTable.Delivery, excluded: SocketID?,
        published: UInt64? = nil, woken: inout LoopSet
    ) {
        for loop in delivery.audience {
            let isIdle = self.inboxes[loop].put(
                Delivery(
                    app: self.index, channel: channel, sequence: delivery.sequence, content: content,
                    excluded: excluded, published: published))
            if isIdle { woken.insert(loop) }
        }
    }

    /// Reports an event that somebody wants to be told of. Under the shard's lock.
    private func tell(_ kind: WebhookEvent.Kind, of application: Application, _ event: () -> WebhookEvent) {
        guard let webhooks, application.webhookEvents.contains(kind) else { return }
        webhooks.put(event(), app: self.id)
    }

    // MARK: Queries

    func occupancy(of channel: ChannelName) -> ChannelOccupancy? {
        self.shard(of: channel).table.withLock { $0.occupancy(of: channel) }
    }

    func members(of channel: ChannelName) -> [PresenceMember] {
        self.shard(of: channel).table.withLock { $0.members(of: channel) }
    }

    /// The last event of a cache channel, if it is still kept.
    func cached(_ channel: ChannelName, now: UInt64) -> CachedEvent? {
        self.shard(of: channel).table.withLock { $0.cached(channel, now: now) }
    }

    /// Occupied channels of one of the `shardCount` shards whose name begins with `prefix`, in no order.
    func occupied(shard: Int, prefix: String) -> [(channel: ChannelName, occupancy: ChannelOccupancy)] {
        self.shards[shard].table.withLock { $0.occupied(prefix: prefix) }
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
