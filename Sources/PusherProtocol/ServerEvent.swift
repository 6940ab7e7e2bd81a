/// What a server said, as a client reads it: of any Pusher-compatible server (1.6 of the protocol facts).
package struct ServerEvent: Equatable, Sendable {
    package let name: String
    /// Absent in events that belong to no channel.
    package let channel: String?
    /// What the string in `data` says, or the JSON text of anything else there; nil when there is none.
    package let data: String?
    /// Whether `data` was a string, as it should be in all events but a few.
    package let isDataString: Bool
    /// Who sent a client event to a presence channel.
    package let userID: String?

    /// Reads one message. `bytes` is valid UTF-8; nil when they are not a JSON object with an event.
    package init?(decoding bytes: UnsafeRawBufferPointer) {
        var event: JSONSlice?
        var channel: JSONSlice?
        var data: JSONSlice?
        var userID: JSONSlice?
        do {
            try JSONReader.members(of: bytes) { name, value in
                switch name {
                case "event": event = value
                case "channel": channel = value
                case "data": data = value
                case "user_id": userID = value
                default: break
                }
            }
        } catch { return nil }
        guard let name = event?.string else { return nil }
        self.name = name
        self.channel = channel?.string
        self.userID = userID?.string
        self.isDataString = data?.kind == .string
        self.data = data.map { $0.string ?? String(decoding: $0.bytes, as: UTF8.self) }
    }
}

extension ServerEvent {
    /// `pusher:connection_established`.
    package struct Established: Equatable, Sendable {
        package let socketID: String
        /// In seconds, above 0; nil when the server names none.
        package let activityTimeout: Int?
    }

    /// `pusher:error`.
    package struct Failure: Equatable, Sendable {
        package let code: Int?
        package let message: String

        package init(code: Int?, message: String) {
            self.code = code
            self.message = message
        }
    }

    /// Nil when the event is another one, or its data has no well-formed socket id.
    package var established: Established? {
        guard self.name == "pusher:connection_established",
            let socketID = self.member("socket_id", { $0.string }), SocketID.Reference(socketID) != nil
        else { return nil }
        let timeout = self.member("activity_timeout") { Int(String(decoding: $0.bytes, as: UTF8.self)) }
        return Established(
            socketID: socketID, activityTimeout: timeout.flatMap { (1...86_400).contains($0) ? $0 : nil })
    }

    /// Nil when the event is another one. Data without a message is the message.
    package var failure: Failure? {
        guard self.name == "pusher:error" else { return nil }
        return Failure(
            code: self.member("code") { Int(String(decoding: $0.bytes, as: UTF8.self)) },
            message: self.member("message", { $0.string }) ?? self.data ?? "")
    }

    /// One member of the object in `data`.
    private func member<Value>(_ name: StaticString, _ read: (JSONSlice) -> Value?) -> Value? {
        guard var text = self.data else { return nil }
        var value: Value?
        text.withUTF8 { bytes in
            // Data that is no object has no members.
            try? JSONReader.members(of: UnsafeRawBufferPointer(bytes)) { if $0 == name { value = read($1) } }
        }
        return value
    }
}
