/// Something that happened and that an app's webhooks may be told (9.2 of the protocol facts).
package enum WebhookEvent: Equatable, Sendable {
    case channelOccupied(ChannelName)
    case channelVacated(ChannelName)
    case memberAdded(ChannelName, userID: String)
    case memberRemoved(ChannelName, userID: String)
    case clientEvent(ChannelName, RelayedClientEvent)
    case cacheMiss(ChannelName)
    /// The channel's connections, counted anew.
    case subscriptionCount(ChannelName, Int)

    /// A client event that was accepted.
    package struct RelayedClientEvent: Equatable, Sendable {
        package let name: String
        /// The data as it travels: a JSON string with quotes and escapes, as the SDKs expect it (P154).
        package let data: [UInt8]
        package let sender: SocketID
        /// Who the sender is, on a presence channel.
        package let userID: String?

        package init(name: String, data: [UInt8], sender: SocketID, userID: String?) {
            self.name = name
            self.data = data
            self.sender = sender
            self.userID = userID
        }
    }

    /// The kinds of events, by the names that they have in a webhook's body.
    package enum Kind: String, CaseIterable, Sendable {
        case channelOccupied = "channel_occupied"
        case channelVacated = "channel_vacated"
        case memberAdded = "member_added"
        case memberRemoved = "member_removed"
        case clientEvent = "client_event"
        case cacheMiss = "cache_miss"
        case subscriptionCount = "subscription_count"
    }

    package var kind: Kind {
        switch self {
        case .channelOccupied: .channelOccupied
        case .channelVacated: .channelVacated
        case .memberAdded: .memberAdded
        case .memberRemoved: .memberRemoved
        case .clientEvent: .clientEvent
        case .cacheMiss: .cacheMiss
        case .subscriptionCount: .subscriptionCount
        }
    }

    package var channel: ChannelName {
        switch self {
        case .channelOccupied(let channel), .channelVacated(let channel), .memberAdded(let channel, _),
            .memberRemoved(let channel, _), .clientEvent(let channel, _), .cacheMiss(let channel),
            .subscriptionCount(let channel, _):
            channel
        }
    }

    /// The event as an element of a webhook's `events`.
    package var json: [UInt8] {
        var writer = JSONWriter(reserving: 128)
        writer.literal(#"{"name":"#)
        writer.string(self.kind.rawValue)
        writer.literal(#","channel":"#)
        writer.string(self.channel.text)
        switch self {
        case .channelOccupied, .channelVacated, .cacheMiss: break
        case .memberAdded(_, let userID), .memberRemoved(_, let userID):
            writer.literal(#","user_id":"#)
            writer.string(userID)
        case .clientEvent(_, let event):
            writer.literal(#","event":"#)
            writer.string(event.name)
            writer.literal(#","data":"#)
            writer.verbatim(event.data)
            writer.literal(#","socket_id":"#)
            writer.string(event.sender.description)
            if let userID = event.userID {
                writer.literal(#","user_id":"#)
                writer.string(userID)
            }
        case .subscriptionCount(_, let count):
            writer.literal(#","subscription_count":"#)
            writer.integer(count)
        }
        writer.literal("}")
        return writer.bytes
    }
}

/// Where a broker reports what happens. `put` may be called on any thread, under locks: it must neither block nor
/// call back. Events of one channel are put in the order in which they happened.
package protocol WebhookSink: Sendable {
    /// - Parameter app: the app's id.
    func put(_ event: WebhookEvent, app: String)
}
