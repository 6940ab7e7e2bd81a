package import PusherProtocol

/// May this connection say this to that channel? (4.2 of the protocol facts; the rate is `RateWindow`'s.)
package enum ClientEventPolicy {
    /// - Parameter isSubscribed: whether the connection is subscribed to the event's channel.
    package static func check(
        _ event: ClientEvent, isSubscribed: Bool, application: Application
    ) throws(ProtocolError) -> ChannelName {
        guard application.features.clientEvents else { throw .clientEventsDisabled }
        let limits = application.limits
        guard let channel = ChannelName(event.channel, limit: limits.channelName) else {
            throw .invalidChannelName(event.channel)
        }
        switch channel.kind {
        case .private, .encrypted, .presence: break
        case .public, .user, .watchers: throw .clientEventWrongChannel
        }
        guard isSubscribed else { throw .clientEventNotSubscribed(channel.text) }
        guard event.name.unicodeScalars.count <= limits.eventName else {
            throw .clientEventNameTooLong(limits.eventName)
        }
        guard event.dataCount <= limits.eventData else { throw .clientEventTooBig(limits.eventData) }
        return channel
    }
}

/// Lets so many events pass in any second, wherever it begins.
package struct RateWindow: Sendable {
    /// When the last events passed, the oldest at `oldest`; no more than the limit, and nothing before the first.
    private var times: [UInt64] = []
    private var oldest = 0

    package init() {}

    /// Whether one more event passes. `limit` is the same in every call; `now` is in nanoseconds of a clock that never
    /// goes back.
    package mutating func allows(_ limit: Int, now: UInt64) -> Bool {
        guard self.times.count >= limit else {
            self.times.append(now)
            return true
        }
        guard limit > 0, now &- self.times[self.oldest] >= 1_000_000_000 else { return false }
        self.times[self.oldest] = now
        self.oldest = (self.oldest + 1) % self.times.count
        return true
    }
}
