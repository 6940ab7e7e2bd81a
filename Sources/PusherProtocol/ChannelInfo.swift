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
    /// The last event; cache channels only.
    package static let cache = ChannelAttributes(rawValue: 4)

    /// What one name in a list means; nothing when it means nothing.
    private init(name: Substring) {
        switch name {
        case "user_count": self = .userCount
        case "subscription_count": self = .subscriptionCount
        case "cache": self = .cache
        default: self = []
        }
    }

    /// Reads the comma-separated list and keeps those of `defined`: a publisher's event is not refused for the rest.
    package init(_ list: String, keeping defined: ChannelAttributes) {
        self = []
        for name in list.split(separator: ",") { self.formUnion(ChannelAttributes(name: name)) }
        self.formIntersection(defined)
    }

    /// Reads the comma-separated list, in which every name must be one of `defined`.
    package init(_ list: String, allowing defined: ChannelAttributes) throws(RequestRejection) {
        self = []
        for name in list.split(separator: ",") {
            let attribute = ChannelAttributes(name: name).intersection(defined)
            guard !attribute.isEmpty else {
                let quoted = JSONWriter.quoted(String(name), maxCharacters: 64)
                throw .badRequest("The attribute \(quoted) cannot be asked for by info here")
            }
            self.formUnion(attribute)
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

/// The last event of a cache channel, as the HTTP API shows it.
package struct CachedData: Sendable {
    /// The data as a JSON string with its quotes.
    package let data: [UInt8]
    /// For how many more seconds it is kept.
    package let ttl: Int

    package init(data: [UInt8], ttl: Int) {
        self.data = data
        self.ttl = ttl
    }
}

/// The JSON that the HTTP API answers about channels. Everything empty is an object, never a list (D32).
package enum ChannelInfo {
    /// `{"user_count":2,"subscription_count":3}`: the attributes that were asked for and that the channel has.
    ///
    /// `subscription_count` is given for presence channels too (8.8).
    package static func attributes(
        _ wanted: ChannelAttributes, of occupancy: ChannelOccupancy, occupied: Bool? = nil, cached: CachedData? = nil
    ) -> [UInt8] {
        var writer = JSONWriter()
        self.write(wanted, of: occupancy, occupied: occupied, cached: cached, to: &writer)
        return writer.bytes
    }

    private static func write(
        _ wanted: ChannelAttributes, of occupancy: ChannelOccupancy, occupied: Bool? = nil, cached: CachedData? = nil,
        to writer: inout JSONWriter
    ) {
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
        if wanted.contains(.cache) {
            name(#""cache":"#)
            self.write(cached, to: &writer)
        }
        writer.literal("}")
    }

    /// `{"data":"…","ttl":1712}`, or `null`.
    private static func write(_ cached: CachedData?, to writer: inout JSONWriter) {
        guard let cached else { return writer.literal("null") }
        writer.literal(#"{"data":"#)
        writer.verbatim(cached.data)
        writer.literal(#","ttl":"#)
        writer.integer(cached.ttl)
        writer.literal("}")
    }

    /// `{"occupied":true,"user_count":2,"connection_count":3}`: the deprecated `/stats` (8.11).
    package static func stats(of occupancy: ChannelOccupancy, occupied: Bool) -> [UInt8] {
        var writer = JSONWriter()
        writer.literal(occupied ? #"{"occupied":true"# : #"{"occupied":false"#)
        if let users = occupancy.users {
            writer.literal(#","user_count":"#)
            writer.integer(users)
        }
        writer.literal(#","connection_count":"#)
        writer.integer(occupancy.subscriptions)
        writer.literal("}")
        return writer.bytes
    }

    /// `{"channels":{"orders":{…},…}}`, channel by channel.
    package struct List {
        private let info: ChannelAttributes
        private var writer = JSONWriter()
        private var isEmpty = true

        package init(info: ChannelAttributes) {
            self.info = info
            self.writer.literal(#"{"channels":{"#)
        }

        package mutating func add(_ channel: ChannelName, _ occupancy: ChannelOccupancy) {
            if !self.isEmpty { self.writer.literal(",") }
            self.isEmpty = false
            self.writer.string(channel.text)
            self.writer.literal(":")
            ChannelInfo.write(self.info, of: occupancy, to: &self.writer)
        }

        /// The whole of it; nothing may be added behind it.
        package mutating func finish() -> [UInt8] {
            self.writer.literal("}}")
            return self.writer.bytes
        }
    }

    /// `{"channels":{"orders":{…},…}}`.
    package static func channels(
        _ channels: [(channel: ChannelName, occupancy: ChannelOccupancy)], info: ChannelAttributes
    ) -> [UInt8] {
        var list = List(info: info)
        for (channel, occupancy) in channels { list.add(channel, occupancy) }
        return list.finish()
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
