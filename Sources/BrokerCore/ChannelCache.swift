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

/// The last events of cache channels, whether anybody is subscribed or not (P111). Bounded in bytes: what was stored
/// first gives way first, but never to nothing: the latest event is always kept.
///
/// Pure: instants are nanoseconds of a clock that never goes back. Every call costs the same, whatever is kept.
struct ChannelCache: Sendable {
    /// An element of the list from the oldest to the newest, or of the list of free ones.
    private struct Slot {
        var channel: ChannelName?
        var event: CachedEvent?
        var older: Int?
        var newer: Int?
    }

    /// What an entry costs beside its bytes.
    private static let overhead = 256

    private var places: [ChannelName: Int] = [:]
    private var slots: [Slot] = []
    private var free: [Int] = []
    private var oldest: Int?
    private var newest: Int?
    private var bytes = 0

    /// The event of a channel that has one.
    func event(of channel: ChannelName, now: UInt64) -> CachedEvent? {
        guard let place = self.places[channel], let event = self.slots[place].event, event.expires > now else {
            return nil
        }
        return event
    }

    /// Keeps an event instead of whatever was there. `limit` is how many bytes the cache may hold.
    mutating func store(_ event: CachedEvent, of channel: ChannelName, limit: Int) {
        if let place = self.places[channel] { self.remove(place) }
        let slot = Slot(channel: channel, event: event, older: self.newest)
        let place: Int
        if let reused = self.free.popLast() {
            place = reused
            self.slots[place] = slot
        } else {
            place = self.slots.count
            self.slots.append(slot)
        }
        if let newest { self.slots[newest].newer = place } else { self.oldest = place }
        self.newest = place
        self.places[channel] = place
        self.bytes += Self.cost(event, of: channel)
        while self.bytes > limit, let oldest, oldest != place { self.remove(oldest) }
    }

    private mutating func remove(_ place: Int) {
        let slot = self.slots[place]
        guard let channel = slot.channel, let event = slot.event else { return }
        if let older = slot.older { self.slots[older].newer = slot.newer } else { self.oldest = slot.newer }
        if let newer = slot.newer { self.slots[newer].older = slot.older } else { self.newest = slot.older }
        self.slots[place] = Slot()
        self.free.append(place)
        self.places[channel] = nil
        self.bytes -= Self.cost(event, of: channel)
    }

    private static func cost(_ event: CachedEvent, of channel: ChannelName) -> Int {
        Self.overhead + channel.text.utf8.count + event.name.count + event.data.count
    }
}

/// Which cache channels somebody found empty, so that it is reported once and not by everybody who comes (P155).
///
/// Bounded: of more channels than `capacity` the first are forgotten, and then reported again.
struct MissedChannels: Sendable {
    private static let capacity = 4096

    private var until: [ChannelName: UInt64] = [:]
    /// A ring, once it is full.
    private var order: [ChannelName] = []
    private var next = 0

    /// Whether it is news that the channel is empty. If so it is none again before `until`.
    mutating func note(_ channel: ChannelName, now: UInt64, until: UInt64) -> Bool {
        if let known = self.until[channel] {
            guard known <= now else { return false }
            self.until[channel] = until
            return true
        }
        self.until[channel] = until
        if self.order.count < Self.capacity {
            self.order.append(channel)
        } else {
            self.until[self.order[self.next]] = nil
            self.order[self.next] = channel
            self.next = (self.next + 1) % Self.capacity
        }
        return true
    }

    /// Something was published to the channel: finding it empty will be news again.
    mutating func forget(_ channel: ChannelName) {
        if self.until[channel] != nil { self.until[channel] = 0 }
    }
}
