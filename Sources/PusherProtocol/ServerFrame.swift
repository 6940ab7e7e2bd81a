/// What the broker says: the exact bytes of each frame (sections 1.6 and 3 of the protocol facts).
///
/// `data` is a JSON string in every frame but `pusher:error`, `pusher:subscription_error` and `pusher:signin_success`,
/// where clients need an object (D1).
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

    /// Follows the confirmation of a cache channel that has nothing cached (P109).
    package static func cacheMiss(channel: ChannelName) -> [UInt8] {
        var writer = JSONWriter(reserving: 64 + channel.text.utf8.count)
        writer.literal(#"{"event":"pusher:cache_miss","channel":"#)
        writer.string(channel.text)
        writer.literal(#","data":"{}"}"#)
        return writer.bytes
    }

    /// How many connections are subscribed (6.2, P115).
    package static func subscriptionCount(channel: ChannelName, count: Int) -> [UInt8] {
        var writer = JSONWriter(reserving: 112 + channel.text.utf8.count)
        writer.literal(#"{"event":"pusher_internal:subscription_count","channel":"#)
        writer.string(channel.text)
        writer.literal(#","data":"{\"subscription_count\":"#)
        writer.integer(count)
        writer.literal(#"}"}"#)
        return writer.bytes
    }

    /// Confirms a sign-in with the very text that was signed (P96).
    package static func signInSucceeded(userData: String) -> [UInt8] {
        var writer = JSONWriter(reserving: 64 + userData.utf8.count * 5 / 4)
        writer.literal(#"{"event":"pusher:signin_success","data":{"user_data":"#)
        writer.string(userData)
        writer.literal("}}")
        return writer.bytes
    }

    /// Which watched users are there and which are not (5.4, P106). No channel; a list without users is left out.
    package static func watchlist(online: [String], offline: [String]) -> [UInt8] {
        var data = JSONWriter()
        data.literal(#"{"events":["#)
        var isFirst = true
        for (name, users) in [("online", online), ("offline", offline)] where !users.isEmpty {
            if !isFirst { data.literal(",") }
            isFirst = false
            data.literal(#"{"name":"#)
            data.string(name)
            data.literal(#","user_ids":["#)
            for (index, user) in users.enumerated() {
                if index > 0 { data.literal(",") }
                data.string(user)
            }
            data.literal("]}")
        }
        data.literal("]}")
        var writer = JSONWriter(reserving: 64 + data.bytes.count * 5 / 4)
        writer.literal(#"{"event":"pusher_internal:watchlist_events","data":"#)
        writer.string(data.bytes)
        writer.literal("}")
        return writer.bytes
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
