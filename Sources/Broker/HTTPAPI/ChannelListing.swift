import PusherProtocol

/// The answer to `GET /apps/{id}/channels` in the making: an app may have any number of channels, and nobody else is to
/// wait for all of them. They are listed in no order. Confined to its loop.
struct ChannelListing {
    private let hub: AppHub
    private let prefix: String
    private var list: ChannelInfo.List
    private var shard = 0
    private var found: [(channel: ChannelName, occupancy: ChannelOccupancy)] = []

    init(of hub: AppHub, prefix: String, info: ChannelAttributes) {
        self.hub = hub
        self.prefix = prefix
        self.list = ChannelInfo.List(info: info)
    }

    /// Lists some more, until `isTimeUp`; true when all are listed.
    mutating func goOn(isTimeUp: () -> Bool) -> Bool {
        while true {
            while let (channel, occupancy) = self.found.popLast() {
                self.list.add(channel, occupancy)
                // Looking at the clock takes a third as long as a channel.
                if self.found.count & 63 == 0, isTimeUp() { return false }
            }
            guard self.shard < AppHub.shardCount else { return true }
            self.found = self.hub.occupied(shard: self.shard, prefix: self.prefix)
            self.shard += 1
        }
    }

    /// The whole answer; nothing may be listed behind it.
    mutating func finish() -> HTTPAnswer { HTTPAnswer(json: self.list.finish()) }
}
