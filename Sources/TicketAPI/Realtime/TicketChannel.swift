/// The channels on which this API speaks, and those that its users may join.
enum TicketChannel: Equatable {
    /// All changes of all tickets, for admins; with presence, who of them is there.
    case tickets, ticketsPresence
    /// One ticket's chat; with presence, who is in it.
    case chat(Int64)
    case chatPresence(Int64)
    /// What concerns one user: the name that Laravel gives to a user's channel.
    case user(Int64)

    var name: String {
        switch self {
        case .tickets: "private-tickets"
        case .ticketsPresence: "presence-tickets"
        case .chat(let id): "private-chat.\(id)"
        case .chatPresence(let id): "presence-chat.\(id)"
        case .user(let id): "private-App.Models.User.\(id)"
        }
    }

    var isPresence: Bool {
        switch self {
        case .ticketsPresence, .chatPresence: true
        case .tickets, .chat, .user: false
        }
    }

    init?(name: String) {
        let id = name.split(separator: ".").last.flatMap { Int64($0) } ?? 0
        let candidates: [TicketChannel] = [.tickets, .ticketsPresence, .chat(id), .chatPresence(id), .user(id)]
        // Compared as a whole, so that no second spelling of an id ("007", "+7") names the same channel.
        guard let channel = candidates.first(where: { $0.name == name }) else { return nil }
        self = channel
    }
}
