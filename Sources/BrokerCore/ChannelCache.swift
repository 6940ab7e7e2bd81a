import PusherProtocol

/// The last event of a cache channel (6.1 of the protocol facts).
package struct CachedEvent: Equatable, Sendable {
    /// Name and data as JSON strings with their quotes, byte for byte as published.
    package let name: [UInt8]
    package let data: [UInt8]
    /// When it is given up, in nanoseconds of a clock that never goes back.
    package let expires: UInt64

    package init(name: [UInt8], data: [UInt8], expires: UInt64) {
        self.name = name
        self.data = data
        self.expires = expires
    }
}

/// The last events of cache channels, whether anybody is subscribed or not (P111), and which channels were found
/// empty. Bounded in bytes: what was stored first gives way first.
///
/// Pure: instants are nanoseconds of a clock that never goes back.
struct ChannelCache: Sendable {
    private enum Content {
        case event(CachedEvent)
        /// Somebody was told that there is nothing; until then it is known to have been reported (P155).
        case missed(until: UInt64)
    }

    private struct Entry {
        let content: Content
        /// Says which element of `order` is this entry's.
        let stamp: UInt64
    }

    /// What an entry costs beside its bytes.
    private static let overhead = 256

    private var entries: [ChannelName: Entry] = [:]
    /// Oldest first, from `first` on. An element whose stamp is no longer its channel's is passed over.
    private var order: [(channel: ChannelName, stamp: UInt64)] = []
    private var first = 0
    private var stamp: UInt64 = 0
    private var bytes = 0

    /// The event of a channel that has one.
    func event(of channel: ChannelName, now: UInt64) -> CachedEvent? {
        guard case .event(let event)? = self.entries[channel]?.content, event.expires > now else { return nil }
        return event
    }

    /// Keeps an event instead of whatever was there. `limit` is how many bytes the cache may hold.
    mutating func store(_ event: CachedEvent, of channel: ChannelName, limit: Int) {
        self.put(.event(event), of: channel, limit: limit)
    }

    /// Notes that somebody found the channel empty; false when that is known already.
    mutating func noteMiss(of channel: ChannelName, now: UInt64, until: UInt64, limit: Int) -> Bool {
        if case .missed(let until)? = self.entries[channel]?.content, until > now { return false }
        self.put(.missed(until: until), of: channel, limit: limit)
        return true
    }

    private mutating func put(_ content: Content, of channel: ChannelName, limit: Int) {
        self.remove(channel)
        self.stamp += 1
        self.entries[channel] = Entry(content: content, stamp: self.stamp)
        self.order.append((channel, self.stamp))
        self.bytes += Self.cost(content, of: channel)
        while self.bytes > limit, self.first < self.order.count {
            let oldest = self.order[self.first]
            self.first += 1
            if self.entries[oldest.channel]?.stamp == oldest.stamp { self.remove(oldest.channel) }
        }
        // Half of it stale: what is left moves together. Paid for by the entries that made it stale.
        if self.order.count > 2 * self.entries.count + 16 {
            self.order = self.order[self.first...].filter { self.entries[$0.channel]?.stamp == $0.stamp }
            self.first = 0
        }
    }

    private mutating func remove(_ channel: ChannelName) {
        guard let entry = self.entries.removeValue(forKey: channel) else { return }
        self.bytes -= Self.cost(entry.content, of: channel)
    }

    private static func cost(_ content: Content, of channel: ChannelName) -> Int {
        let fixed = Self.overhead + channel.text.utf8.count
        return if case .event(let event) = content { fixed + event.name.count + event.data.count } else { fixed }
    }
}
