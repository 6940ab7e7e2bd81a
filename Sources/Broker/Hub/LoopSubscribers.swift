import NIOCore
import PusherProtocol

/// The subscribers of one channel that live on one loop.
final class LoopChannel {
    struct Subscriber {
        let connection: Connection
        /// The number of the subscription in the channel's order (`ChannelTable`).
        let joinedAt: UInt64
        /// Which of its connection's subscriptions this is.
        var slot: Int
    }

    let name: ChannelName
    fileprivate(set) var subscribers: [Subscriber] = []
    /// Which deliveries of the batch at hand are the channel's, and the number of the first (`LoopFanout`).
    var share: UInt64 = 0
    var firstSequence: UInt64 = 0

    fileprivate init(name: ChannelName) {
        self.name = name
    }
}

/// Which connections of one loop are subscribed to what. Confined to its loop.
final class LoopSubscribers {
    /// By the app's number.
    private var channels: [[ChannelName: LoopChannel]] = []

    func channel(_ name: ChannelName, app: Int) -> LoopChannel? {
        app < self.channels.count ? self.channels[app][name] : nil
    }

    /// Adds a subscriber and returns its subscription, which the connection keeps as its `slot`th.
    func insert(
        _ connection: Connection, to name: ChannelName, app: Int, joinedAt: UInt64, slot: Int, userID: String?
    ) -> Subscription {
        while self.channels.count <= app { self.channels.append([:]) }
        let channel: LoopChannel
        if let existing = self.channels[app][name] {
            channel = existing
        } else {
            channel = LoopChannel(name: name)
            self.channels[app][name] = channel
        }
        channel.subscribers.append(LoopChannel.Subscriber(connection: connection, joinedAt: joinedAt, slot: slot))
        return Subscription(channel: channel, index: channel.subscribers.count - 1, userID: userID)
    }

    func remove(_ subscription: Subscription, app: Int) {
        let channel = subscription.channel
        let last = channel.subscribers.removeLast()
        if subscription.index < channel.subscribers.count {
            channel.subscribers[subscription.index] = last
            last.connection.moveSubscription(last.slot, to: subscription.index)
        }
        if channel.subscribers.isEmpty { self.channels[app][channel.name] = nil }
    }

    /// The connection keeps one of its subscriptions as another than before.
    func move(_ subscription: Subscription, toSlot slot: Int) {
        subscription.channel.subscribers[subscription.index].slot = slot
    }
}

/// One connection's subscription.
struct Subscription {
    let channel: LoopChannel
    /// Its place among the channel's subscribers on this loop.
    var index: Int
    /// Who the connection is in a presence channel.
    let userID: String?
}
