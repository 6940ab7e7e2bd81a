/// The numeric limits of the protocol, with the hosted service's values as defaults.
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
    /// Distinct users in a presence channel (3.8, P77).
    package var presenceMembers = 100
    /// Characters of a user id (3.8, P76).
    package var userID = 128
    /// Bytes of a presence member's user object (3.8, P76).
    package var presenceUserObject = 1024
    /// Bytes of one WebSocket message from a client (P36). Room for 10 KiB of data in which every byte is escaped.
    package var clientMessage = 64 * 1024
    /// Bytes of a request body of the HTTP API. Room for a full batch in which every byte is escaped.
    package var requestBody = 1024 * 1024
    /// Channels that one connection may be subscribed to.
    package var channelsPerConnection = 1000

    package init() {}
}
