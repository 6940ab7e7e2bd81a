/// The numeric limits of one app, with the hosted service's values as defaults.
package struct Limits: Sendable {
    /// Bytes of a channel's name, prefix included (3.1 of the protocol facts, P42).
    package var channelName = 164
    /// Characters of an event's name (8.5, P131).
    package var eventName = 200
    /// Bytes of an event's `data` after JSON decoding (8.5, P130; client events P95).
    package var eventData = 10_240
    /// Channels of one trigger (8.5, P129).
    package var channelsPerTrigger = 100
    /// Events of one batch (8.6, P137).
    package var eventsPerBatch = 10
    /// Connections that one request may close.
    package var socketsPerTermination = 1000
    /// Distinct users in a presence channel (3.8, P77).
    package var presenceMembers = 100
    /// Characters of a user id (3.8, P76).
    package var userID = 128
    /// Bytes of a presence member's user object (3.8, P76).
    package var presenceUserObject = 1024
    /// Channels that one connection may be subscribed to.
    package var channelsPerConnection = 1000

    /// Users that one connection may watch; more are passed over with 4302 (5.4, P108).
    package var watchlist = 100
    /// How long a cache channel keeps its last event, in seconds (6.1, P113).
    package var cacheSeconds = 1800
    /// Bytes of cached events that the app may hold; the oldest give way.
    package var cacheBytes = 64 << 20

    package init() {}
}
