/// What a client may say (sections 1.6, 3, 4 of the protocol facts).
package enum ClientFrame: Equatable, Sendable {
    case ping
    case pong
    case signIn(SignInRequest)
    case subscribe(SubscribeRequest)
    case unsubscribe(channel: String)
    case clientEvent(ClientEvent)
    /// An event that clients cannot send.
    case unsupported(event: String)
}

/// `pusher:subscribe`.
package struct SubscribeRequest: Equatable, Sendable {
    package var channel: String
    /// Absent, empty, or `key:signature`.
    package var auth: String?
    /// Exactly as received: it is signed.
    package var channelData: String?

    package init(channel: String, auth: String? = nil, channelData: String? = nil) {
        self.channel = channel
        self.auth = auth
        self.channelData = channelData
    }
}

/// `pusher:signin`.
package struct SignInRequest: Equatable, Sendable {
    package var auth: String?
    /// Exactly as received: it is signed.
    package var userData: String?

    package init(auth: String? = nil, userData: String? = nil) {
        self.auth = auth
        self.userData = userData
    }
}

/// An event whose name begins with `client-`.
package struct ClientEvent: Equatable, Sendable {
    package var name: String
    package var channel: String
    /// The data as it will travel: a JSON string with quotes and escapes. A client's string is kept; anything else
    /// becomes a string of its JSON text (4.4, P91).
    package var data: [UInt8]
    /// Bytes of what `data` says.
    package var dataCount: Int
}

extension ClientFrame {
    /// Reads one message. `bytes` is valid UTF-8.
    package init(decoding bytes: UnsafeRawBufferPointer) throws(ProtocolError) {
        var event: JSONSlice?
        var channel: JSONSlice?
        var data: JSONSlice?
        do {
            try JSONReader.members(of: bytes) { name, value in
                switch name {
                case "event": event = value
                case "channel": channel = value
                case "data": data = value
                default: break
                }
            }
        } catch { throw .notAFrame }
        guard let name = event?.string else { throw .notAFrame }

        switch name {
        case "pusher:ping": self = .ping
        case "pusher:pong": self = .pong
        case "pusher:signin": self = .signIn(try Self.signInRequest(data))
        case "pusher:subscribe": self = .subscribe(try Self.subscribeRequest(data))
        case "pusher:unsubscribe": self = .unsubscribe(channel: try Self.subscribeRequest(data).channel)
        case _ where name.utf8.starts(with: "client-".utf8):
            guard let channel = channel?.string, let data else { throw .clientEventIncomplete }
            self = .clientEvent(Self.clientEvent(name, channel, data))
        default: self = .unsupported(event: name)
        }
    }

    private static func subscribeRequest(_ data: JSONSlice?) throws(ProtocolError) -> SubscribeRequest {
        var channel: String?
        var request = SubscribeRequest(channel: "")
        do {
            try self.members(of: data) { name, value in
                switch name {
                case "channel": channel = value.string
                case "auth": request.auth = value.string
                case "channel_data": request.channelData = value.string
                default: break
                }
            }
        } catch { throw .channelMissing }
        guard let channel else { throw .channelMissing }
        request.channel = channel
        return request
    }

    private static func signInRequest(_ data: JSONSlice?) throws(ProtocolError) -> SignInRequest {
        var request = SignInRequest()
        do {
            try self.members(of: data) { name, value in
                switch name {
                case "auth": request.auth = value.string
                case "user_data": request.userData = value.string
                default: break
                }
            }
        } catch { throw .signInIncomplete }
        return request
    }

    /// The members of `data`: an object, or a string that holds the JSON of one (P35).
    private static func members(
        of data: JSONSlice?, _ body: (JSONName, JSONSlice) -> Void
    ) throws(JSONFailure) {
        guard let data else { throw JSONFailure() }
        guard var text = data.string else { return try JSONReader.members(of: data.bytes, body) }
        try text.withUTF8 { bytes in
            Result { () throws(JSONFailure) in try JSONReader.members(of: UnsafeRawBufferPointer(bytes), body) }
        }.get()
    }

    private static func clientEvent(_ name: String, _ channel: String, _ data: JSONSlice) -> ClientEvent {
        guard data.kind != .string else {
            return ClientEvent(name: name, channel: channel, data: Array(data.bytes), dataCount: data.decodedCount)
        }
        var writer = JSONWriter(reserving: data.bytes.count + 16)
        writer.string(data.bytes)
        return ClientEvent(name: name, channel: channel, data: writer.bytes, dataCount: data.bytes.count)
    }
}
