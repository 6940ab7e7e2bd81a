/// What the broker says: the exact bytes of each frame (sections 1.6 and 3 of the protocol facts).
///
/// `data` is a JSON string in every frame but `pusher:error` and `pusher:subscription_error`, where clients need an
/// object (D1).
package enum ServerFrame {
    /// The first frame of a connection. `activityTimeout` is in seconds, above 0.
    package static func connectionEstablished(socketID: SocketID, activityTimeout: Int) -> [UInt8] {
        var writer = JSONWriter(reserving: 128)
        writer.literal(#"{"event":"pusher:connection_established","data":"{\"socket_id\":\""#)
        writer.integer(socketID.first)
        writer.literal(".")
        writer.integer(socketID.second)
        writer.literal(#"\",\"activity_timeout\":"#)
        writer.integer(activityTimeout)
        writer.literal(#"}"}"#)
        return writer.bytes
    }

    package static let ping = Array(#"{"event":"pusher:ping","data":"{}"}"#.utf8)
    package static let pong = Array(#"{"event":"pusher:pong","data":"{}"}"#.utf8)

    package static func error(_ error: ProtocolError) -> [UInt8] {
        var writer = JSONWriter()
        writer.literal(#"{"event":"pusher:error","data":{"code":"#)
        if let code = error.code { writer.integer(code) } else { writer.literal("null") }
        writer.literal(#","message":"#)
        writer.string(error.message)
        writer.literal("}}")
        return writer.bytes
    }

    /// Tells the channel's own error handler, as Echo's `.error()` expects (2.4, P55, P57).
    package static func subscriptionError(channel: String, type: String, error: String, status: Int) -> [UInt8] {
        var writer = JSONWriter()
        writer.literal(#"{"event":"pusher:subscription_error","channel":"#)
        writer.string(channel)
        writer.literal(#","data":{"type":"#)
        writer.string(type)
        writer.literal(#","error":"#)
        writer.string(error)
        writer.literal(#","status":"#)
        writer.integer(status)
        writer.literal("}}")
        return writer.bytes
    }

    /// Confirms a subscription to a channel that is not a presence channel (P38).
    package static func subscriptionSucceeded(channel: ChannelName) -> [UInt8] {
        var writer = JSONWriter(reserving: 96 + channel.text.utf8.count)
        writer.literal(#"{"event":"pusher_internal:subscription_succeeded","channel":"#)
        writer.string(channel.text)
        writer.literal(#","data":"{}"}"#)
        return writer.bytes
    }

    /// Confirms a subscription to a presence channel with everybody who is in it, the new member included (P61, P65).
    package static func subscriptionSucceeded(channel: ChannelName, members: [PresenceMember]) -> [UInt8] {
        var data = JSONWriter()
        data.literal(#"{"presence":{"ids":["#)
        for (index, member) in members.enumerated() {
            if index > 0 { data.literal(",") }
            data.string(member.userID)
        }
        data.literal(#"],"hash":{"#)
        for (index, member) in members.enumerated() {
            if index > 0 { data.literal(",") }
            data.string(member.userID)
            data.literal(":")
            data.verbatim(member.userInfo)
        }
        data.literal(#"},"count":"#)
        data.integer(members.count)
        data.literal("}}")
        return self.presenceFrame("pusher_internal:subscription_succeeded", channel: channel, data: data.bytes)
    }

    package static func memberAdded(channel: ChannelName, member: PresenceMember) -> [UInt8] {
        var data = JSONWriter()
        data.literal(#"{"user_id":"#)
        data.string(member.userID)
        data.literal(#","user_info":"#)
        data.verbatim(member.userInfo)
        data.literal("}")
        return self.presenceFrame("pusher_internal:member_added", channel: channel, data: data.bytes)
    }

    package static func memberRemoved(channel: ChannelName, userID: String) -> [UInt8] {
        var data = JSONWriter()
        data.literal(#"{"user_id":"#)
        data.string(userID)
        data.literal("}")
        return self.presenceFrame("pusher_internal:member_removed", channel: channel, data: data.bytes)
    }

    private static func presenceFrame(_ event: StaticString, channel: ChannelName, data: [UInt8]) -> [UInt8] {
        var writer = JSONWriter(reserving: 96 + channel.text.utf8.count + data.count * 5 / 4)
        writer.literal(#"{"event":""#)
        writer.literal(event)
        writer.literal(#"","channel":"#)
        writer.string(channel.text)
        writer.literal(#","data":"#)
        writer.string(data)
        writer.literal("}")
        return writer.bytes
    }

    /// A published event or a client event.
    ///
    /// - Parameters:
    ///   - name: the event's name as a JSON string with its quotes.
    ///   - data: the data as a JSON string with its quotes, byte for byte as it came (P126).
    ///   - userID: who sent a client event to a presence channel (P84).
    package static func event(name: [UInt8], channel: ChannelName, data: [UInt8], userID: String? = nil) -> [UInt8] {
        var writer = JSONWriter(reserving: 48 + name.count + channel.text.utf8.count + data.count)
        writer.literal(#"{"event":"#)
        writer.verbatim(name)
        writer.literal(#","channel":"#)
        writer.string(channel.text)
        writer.literal(#","data":"#)
        writer.verbatim(data)
        if let userID {
            writer.literal(#","user_id":"#)
            writer.string(userID)
        }
        writer.literal("}")
        return writer.bytes
    }
}
