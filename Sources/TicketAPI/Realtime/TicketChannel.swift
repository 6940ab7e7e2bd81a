/// The channels that only staff may join: all changes of all tickets, and with presence, who of staff is there.
enum StaffChannel: String, CaseIterable {
    case tickets = "private-tickets"
    case presence = "presence-tickets"
}

/// The channels on which this API speaks, and those that its users may join.
enum TicketChannel: Equatable {
    case staff(StaffChannel)
    /// One ticket's chat; with presence, who is in it.
    case chat(Int64)
    case chatPresence(Int64)
    /// What concerns one user: the name that Laravel gives to a user's channel.
    case user(Int64)

    var name: String {
        switch self {
        case .staff(let channel): channel.rawValue
        case .chat(let id): "private-chat.\(id)"
        case .chatPresence(let id): "presence-chat.\(id)"
        case .user(let id): "private-App.Models.User.\(id)"
        }
    }

    var isPresence: Bool {
        switch self {
        case .staff(.presence), .chatPresence: true
        case .staff(.tickets), .chat, .user: false
        }
    }

    init?(name: String) {
        if let channel = StaffChannel(rawValue: name) {
            self = .staff(channel)
            return
        }
        let id = name.split(separator: ".").last.flatMap { Int64($0) } ?? 0
        let candidates: [TicketChannel] = [.chat(id), .chatPresence(id), .user(id)]
        // Compared as a whole, so that no second spelling of an id ("007", "+7") names the same channel.
        guard let channel = candidates.first(where: { $0.name == name }) else { return nil }
        self = channel
    }
}
