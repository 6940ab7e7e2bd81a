/// One event for one channel.
package struct PublishedEvent: Sendable, Equatable {
    package var channel: String
    package var name: String
    /// The text that subscribers get, at most 10,240 bytes for most servers.
    package var data: String
    /// The connection that does not get it.
    package var socketID: String?

    package init(channel: String, name: String, data: String, socketID: String? = nil) {
        self.channel = channel
        self.name = name
        self.data = data
        self.socketID = socketID
    }
}

/// Why events were not published. The text names the cause; it carries nothing of the request or of the answer.
package enum PublishFailure: Error, Equatable {
    /// The server cannot be reached or accepts nothing now: connection refused, time-out, 401, 403, 408, 429, 502, 503,
    /// 504. The same request is worth repeating later, and any other request would fail too.
    case unavailable(String)
    /// The server failed on these events (another 5xx). Worth repeating later; other events may well pass.
    case failed(status: Int)
    /// The server will never accept these events (another status that is not 2xx).
    case rejected(status: Int)
}

/// Says events to subscribers through a Pusher-compatible server.
package protocol EventPublisher: Sendable {
    /// Publishes 1 to `PublishLimits.eventsPerBatch` events, in order and all or none.
    ///
    /// Returns when the server has accepted them. After a failure they may have been accepted all the same.
    func publish(_ events: [PublishedEvent]) async throws(PublishFailure)
}

/// What servers accept at most (8.5 and 8.6 of the protocol facts).
package enum PublishLimits {
    package static let eventsPerBatch = 10
    /// Bytes of one event's `data`.
    package static let dataBytes = 10_240
}
