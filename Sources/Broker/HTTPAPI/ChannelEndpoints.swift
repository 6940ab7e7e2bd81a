import BrokerCore
import PusherProtocol

/// `GET /apps/{id}/channels` and what lies below it (8.7 to 8.9 of the protocol facts).
enum ChannelEndpoints {
    /// The occupied channels.
    static func list(_ query: QueryParameters, app: ServedApp) throws(RequestRejection) -> HTTPAnswer {
        let prefix = query["filter_by_prefix"] ?? ""
        let info = ChannelAttributes(query["info"] ?? "")
        guard !info.contains(.userCount) || prefix.utf8.starts(with: "presence-".utf8) else {
            throw .badRequest("user_count is only available for presence channels: use filter_by_prefix=presence-")
        }
        return HTTPAnswer(json: ChannelInfo.channels(app.hub.occupied(prefix: prefix), info: info))
    }

    /// One channel, occupied or not.
    static func show(_ name: String, _ query: QueryParameters, app: ServedApp) throws(RequestRejection) -> HTTPAnswer {
        let channel = try self.channel(name, app: app)
        let info = ChannelAttributes(query["info"] ?? "")
        guard !info.contains(.userCount) || channel.kind == .presence else {
            throw .badRequest("user_count is only available for presence channels")
        }
        let occupancy = app.hub.occupancy(of: channel)
        return HTTPAnswer(
            json: ChannelInfo.attributes(info, of: occupancy ?? .empty(channel), occupied: occupancy != nil))
    }

    /// The users of a presence channel.
    static func users(_ name: String, app: ServedApp) throws(RequestRejection) -> HTTPAnswer {
        let channel = try self.channel(name, app: app)
        guard channel.kind == .presence else {
            throw .badRequest("Users can only be listed for presence channels")
        }
        return HTTPAnswer(json: ChannelInfo.users(app.hub.members(of: channel).map(\.userID)))
    }

    private static func channel(_ name: String, app: ServedApp) throws(RequestRejection) -> ChannelName {
        guard let decoded = QueryParameters.percentDecoded(name),
            let channel = ChannelName(decoded, limit: app.application.limits.channelName)
        else { throw .badRequest("Invalid channel name") }
        return channel
    }
}
