package import PusherProtocol

/// May this connection say this to that channel? (4.2 of the protocol facts; the rate is `RateWindow`'s.)
package enum ClientEventPolicy {
    /// - Parameter isSubscribed: whether the connection is subscribed to the event's channel.
    package static func check(
        _ event: ClientEvent, isSubscribed: Bool, application: Application, limits: Limits
    ) throws(ProtocolError) -> ChannelName {
        guard application.allowsClientEvents else { throw .clientEventsDisabled }
        guard let channel = ChannelName(event.channel, limit: limits.channelName) else {
            throw .invalidChannelName(event.channel)
        }
        switch channel.kind {
        case .private, .encrypted, .presence: break
        case .public, .user: throw .clientEventWrongChannel
        }
        guard isSubscribed else { throw .clientEventNotSubscribed(channel.text) }
        guard event.name.unicodeScalars.count <= limits.eventName else {
            throw .clientEventNameTooLong(limits.eventName)
        }
        guard event.dataCount <= limits.eventData else { throw .clientEventTooBig(limits.eventData) }
        return channel
    }
}

/// Counts events in seconds that begin with their first event.
package struct RateWindow: Sendable {
    private var start: UInt64 = 0
    private var count = 0

    package init() {}

    /// Whether one more event fits. `now` is in nanoseconds of a clock that never goes back.
    package mutating func allows(_ limit: Int, now: UInt64) -> Bool {
        if self.count == 0 || now &- self.start >= 1_000_000_000 {
            self.start = now
            self.count = 0
        }
        guard self.count < limit else { return false }
        self.count += 1
        return true
    }
}
