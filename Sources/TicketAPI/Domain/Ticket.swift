/// A word of a closed vocabulary. Its raw value is what the database keeps, and the order in which it sorts.
protocol Term: RawRepresentable<Int64>, CaseIterable, Sendable {
    /// The word on the wire.
    var word: String { get }
}

extension Term {
    init?(word: String) {
        guard let term = Self.allCases.first(where: { $0.word == word }) else { return nil }
        self = term
    }
}

enum Category: Int64, Term {
    case technical, billing, general

    var word: String {
        switch self {
        case .technical: "Technical"
        case .billing: "Billing"
        case .general: "General"
        }
    }
}

enum Priority: Int64, Term {
    case low, medium, high

    var word: String {
        switch self {
        case .low: "Low"
        case .medium: "Medium"
        case .high: "High"
        }
    }
}

enum Status: Int64, Term {
    case open, inProgress, resolved, closed

    var word: String {
        switch self {
        case .open: "Open"
        case .inProgress: "In Progress"
        case .resolved: "Resolved"
        case .closed: "Closed"
        }
    }
}

/// A customer's request for help.
struct Ticket: Sendable, Equatable {
    let id: Int64
    let owner: Participant
    var assignee: Participant?
    var subject: String
    var description: String
    var category: Category
    var priority: Priority
    var status: Status
    let createdAt: Timestamp
    var updatedAt: Timestamp
}

/// A ticket with what depends on its reader.
struct TicketView: Sendable {
    let ticket: Ticket
    /// Comments that the reader may see.
    let comments: Int64
    let messages: Int64
    /// Messages of others behind the reader's mark.
    let unread: Int64
    /// The ticket's own, without those of its messages.
    var attachments: [Attachment] = []

    /// Code points of a description that a list shows; a hundred of the longest would be 26 MB.
    static let maxListedDescription = 5000
}
