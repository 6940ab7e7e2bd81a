extension ClientFrame {
    /// The message as a client sends it. `init(decoding:)` reads it back as the same.
    package var encoded: [UInt8] {
        var writer = JSONWriter(reserving: 128)
        writer.literal(#"{"event":"#)
        switch self {
        case .ping: writer.literal(#""pusher:ping","data":{}"#)
        case .pong: writer.literal(#""pusher:pong","data":{}"#)
        case .signIn(let request):
            writer.literal(#""pusher:signin","data":{"#)
            writer.members([("auth", request.auth), ("user_data", request.userData)])
            writer.literal("}")
        case .subscribe(let request):
            writer.literal(#""pusher:subscribe","data":{"#)
            writer.members([
                ("channel", request.channel), ("auth", request.auth), ("channel_data", request.channelData),
            ])
            writer.literal("}")
        case .unsubscribe(let channel):
            writer.literal(#""pusher:unsubscribe","data":{"#)
            writer.members([("channel", channel)])
            writer.literal("}")
        case .clientEvent(let event):
            writer.string(event.name)
            writer.literal(#","channel":"#)
            writer.string(event.channel)
            writer.literal(#","data":"#)
            writer.verbatim(event.data)
        case .unsupported(let event): writer.string(event)
        }
        writer.literal("}")
        return writer.bytes
    }
}

extension JSONWriter {
    /// The members that are there, with commas between.
    fileprivate mutating func members(_ members: [(name: StaticString, value: String?)]) {
        var isFirst = true
        for (name, value) in members {
            guard let value else { continue }
            self.literal(isFirst ? "\"" : ",\"")
            isFirst = false
            self.literal(name)
            self.literal("\":")
            self.string(value)
        }
    }
}

extension ClientEvent {
    /// A client event whose data is a JSON string with this content.
    package init(name: String, channel: String, text: String) {
        var writer = JSONWriter(reserving: text.utf8.count + 16)
        writer.string(text)
        self.init(name: name, channel: channel, data: writer.bytes, dataCount: text.utf8.count)
    }
}

extension SubscribeRequest {
    /// A request that is signed when its channel needs that: one that is private or a presence channel.
    ///
    /// - Parameter channelData: who joins a presence channel; JSON.
    package init(channel: String, socketID: String, channelData: String? = nil, credentials: AppCredentials) {
        self.init(channel: channel)
        guard channel.hasPrefix("private-") || channel.hasPrefix("presence-") else { return }
        self.channelData = channelData
        self.auth = ChannelSignature.auth(
            socketID: socketID, channel: channel, channelData: channelData, credentials: credentials)
    }
}
