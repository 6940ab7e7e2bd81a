import BrokerCore
import PusherProtocol

/// `GET /apps/{id}/channels` and what lies below it (8.7 to 8.9 and 8.11 of the protocol facts).
extension APIRequest {
    /// The occupied channels.
    func listChannels() throws(RequestRejection) -> ChannelListing {
        try self.refuseParameters(besides: ["filter_by_prefix", "info"])
        let prefix = self.query["filter_by_prefix"] ?? ""
        let info = try ChannelAttributes(self.query["info"] ?? "", allowing: [.userCount, .subscriptionCount])
        guard !info.contains(.userCount) || prefix.utf8.starts(with: "presence-".utf8) else {
            throw .badRequest("user_count is only available for presence channels: use filter_by_prefix=presence-")
        }
        return ChannelListing(of: self.app.hub, prefix: prefix, info: info)
    }

    /// One channel, occupied or not.
    func showChannel(_ name: String) throws(RequestRejection) -> HTTPAnswer {
        try self.refuseParameters(besides: ["info"])
        let channel = try self.channel(name)
        let info = try ChannelAttributes(
            self.query["info"] ?? "", allowing: [.userCount, .subscriptionCount, .cache])
        guard !info.contains(.userCount) || channel.kind == .presence else {
            throw .badRequest("user_count is only available for presence channels")
        }
        guard !info.contains(.cache) || channel.isCached else {
            throw .badRequest("cache is only available for cache channels")
        }
        let occupancy = self.app.hub.occupancy(of: channel)
        return HTTPAnswer(
            json: ChannelInfo.attributes(
                info, of: occupancy ?? .empty(channel), occupied: occupancy != nil,
                cached: info.contains(.cache) ? self.cachedData(of: channel) : nil))
    }

    private func cachedData(of channel: ChannelName) -> CachedData? {
        let now = self.loop.now
        return self.app.hub.cached(channel, now: now).map { event in
            // At least 1 while it is there: 0 reads as gone.
            let left = event.expires - min(now, event.expires)
            return CachedData(data: event.data, ttl: Int(clamping: max(left / 1_000_000_000, 1)))
        }
    }

    /// The users of a presence channel.
    func listUsers(ofChannel name: String) throws(RequestRejection) -> HTTPAnswer {
        try self.refuseParameters(besides: [])
        let channel = try self.channel(name)
        guard channel.kind == .presence else {
            throw .badRequest("Users can only be listed for presence channels")
        }
        return HTTPAnswer(json: ChannelInfo.users(self.app.hub.members(of: channel).map(\.userID)))
    }

    /// A channel's counts, in the deprecated way.
    func showStats(ofChannel name: String) throws(RequestRejection) -> HTTPAnswer {
        try self.refuseParameters(besides: [])
        let channel = try self.channel(name)
        let occupancy = self.app.hub.occupancy(of: channel)
        return HTTPAnswer(json: ChannelInfo.stats(of: occupancy ?? .empty(channel), occupied: occupancy != nil))
    }

    private func refuseParameters(besides known: [String]) throws(RequestRejection) {
        let extraneous = self.query.extraneous(besides: known)
        guard extraneous.isEmpty else {
            throw .badRequest(
                "The following query string parameters are extraneous: \(extraneous.joined(separator: ", "))")
        }
    }
}
