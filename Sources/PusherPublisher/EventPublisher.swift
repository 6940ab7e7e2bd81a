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
    /// The server cannot be reached, accepts nothing now, or is no such server: connection refused, time-out, 502, 503,
    /// 504 and whatever is not named below. The same request is worth repeating later, and any other request would
    /// fail too.
    case unavailable(String)
    /// The server failed on these events (another 5xx). Worth repeating later; other events may well pass.
    case failed(status: Int)
    /// The server will never accept these events: 400, 413, 422. Other 4xx and 3xx tell of the address, the credentials
    /// or the account, which the operator can put right.
    case rejected(status: Int)
}

/// Says events to subscribers through a Pusher-compatible server.
package protocol EventPublisher: Sendable {
    /// Publishes 1 to `Limits.eventsPerBatch` events, in order and all or none.
    ///
    /// Returns when the server has accepted them. After a failure they may have been accepted all the same.
    func publish(_ events: [PublishedEvent]) async throws(PublishFailure)
}
