/// What a caller of the HTTP API asks to know about a channel (`info`, 8.5 to 8.8 of the protocol facts).
package struct ChannelAttributes: OptionSet, Sendable {
    package let rawValue: Int

    package init(rawValue: Int) {
        self.rawValue = rawValue
    }

    /// Distinct users; presence channels only.
    package static let userCount = ChannelAttributes(rawValue: 1)
    /// Connections.
    package static let subscriptionCount = ChannelAttributes(rawValue: 2)

    /// Reads the comma-separated list. Names that mean nothing are passed over.
    package init(_ list: String) {
        self = []
        for name in list.split(separator: ",") {
            switch name {
            case "user_count": self.insert(.userCount)
            case "subscription_count": self.insert(.subscriptionCount)
            default: break
            }
        }
    }
}

/// How many are in a channel.
package struct ChannelOccupancy: Equatable, Sendable {
    /// Connections.
    package var subscriptions: Int
    /// Distinct users; nil unless it is a presence channel.
    package var users: Int?

    package init(subscriptions: Int, users: Int?) {
        self.subscriptions = subscriptions
        self.users = users
    }

    package static func empty(_ channel: ChannelName) -> ChannelOccupancy {
        ChannelOccupancy(subscriptions: 0, users: channel.kind == .presence ? 0 : nil)
    }
}

/// The JSON that the HTTP API answers about channels. Everything empty is an object, never a list (D32).
package enum ChannelInfo {
    /// `{"user_count":2,"subscription_count":3}`: the attributes that were asked for and that the channel has.
    ///
    /// `subscription_count` is given for presence channels too (8.8).
    package static func attributes(
        _ wanted: ChannelAttributes, of occupancy: ChannelOccupancy, occupied: Bool? = nil
    ) -> [UInt8] {
        var writer = JSONWriter()
        writer.literal("{")
        var isFirst = true
        func name(_ text: StaticString) {
            if !isFirst { writer.literal(",") }
            isFirst = false
            writer.literal(text)
        }
        if let occupied {
            name(#""occupied":"#)
            writer.literal(occupied ? "true" : "false")
        }
        if wanted.contains(.userCount), let users = occupancy.users {
            name(#""user_count":"#)
            writer.integer(users)
        }
        if wanted.contains(.subscriptionCount) {
            name(#""subscription_count":"#)
            writer.integer(occupancy.subscriptions)
        }
        writer.literal("}")
        return writer.bytes
    }

    /// `{"channels":{"orders":{…},…}}`.
    package static func channels(
        _ channels: [(channel: ChannelName, occupancy: ChannelOccupancy)], info: ChannelAttributes
    ) -> [UInt8] {
        var writer = JSONWriter()
        writer.literal(#"{"channels":{"#)
        for (index, entry) in channels.enumerated() {
            if index > 0 { writer.literal(",") }
            writer.string(entry.channel.text)
            writer.literal(":")
            writer.verbatim(self.attributes(info, of: entry.occupancy))
        }
        writer.literal("}}")
        return writer.bytes
    }

    /// `{"batch":[{},{"user_count":2}]}`: one object an event, in order.
    package static func batch(_ events: [[UInt8]]) -> [UInt8] {
        var writer = JSONWriter()
        writer.literal(#"{"batch":["#)
        for (index, event) in events.enumerated() {
            if index > 0 { writer.literal(",") }
            writer.verbatim(event)
        }
        writer.literal("]}")
        return writer.bytes
    }

    /// `{"users":[{"id":"u-17"}]}`.
    package static func users(_ ids: [String]) -> [UInt8] {
        var writer = JSONWriter()
        writer.literal(#"{"users":["#)
        for (index, id) in ids.enumerated() {
            if index > 0 { writer.literal(",") }
            writer.literal(#"{"id":"#)
            writer.string(id)
            writer.literal("}")
        }
        writer.literal("]}")
        return writer.bytes
    }
}
