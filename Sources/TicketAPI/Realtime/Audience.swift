internal import PusherPublisher

// Who may read something is its type. What customers may read has `json`; what is for staff has `staffJSON` only, so that
// neither an answer nor an event for customers can be made of it.

/// What everybody who may see its ticket may read.
protocol SharedContent: Sendable {
    var json: JSON { get }
    /// For an event that would be too large: the long text null, and `"truncated": true` beside it.
    var shortJSON: JSON { get }
}

extension SharedContent {
    var shortJSON: JSON { self.json }
}

/// A line of a ticket that is written for one audience or the other; by itself it is for nobody.
protocol TicketEntry: Sendable {
    func json(isInternal: Bool) -> JSON
    func shortJSON(isInternal: Bool) -> JSON
}

extension TicketEntry {
    func shortJSON(isInternal: Bool) -> JSON { self.json(isInternal: isInternal) }
}

/// An entry for everybody who may see the ticket.
struct Shared<Entry: TicketEntry>: SharedContent {
    let entry: Entry

    init(_ entry: Entry) { self.entry = entry }

    var json: JSON { self.entry.json(isInternal: false) }
    var shortJSON: JSON { self.entry.shortJSON(isInternal: false) }
}

/// An entry for staff. There is no way from here to the entry itself.
struct Confidential<Entry: TicketEntry>: Sendable {
    private let entry: Entry

    init(_ entry: Entry) { self.entry = entry }

    var staffJSON: JSON { self.entry.json(isInternal: true) }
    var shortStaffJSON: JSON { self.entry.shortJSON(isInternal: true) }
}

/// An entry as staff find it among all others.
enum StaffView<Entry: TicketEntry>: Sendable {
    case shared(Shared<Entry>)
    case confidential(Confidential<Entry>)

    init(_ entry: Entry, isInternal: Bool) {
        self = isInternal ? .confidential(Confidential(entry)) : .shared(Shared(entry))
    }

    var staffJSON: JSON {
        switch self {
        case .shared(let entry): entry.json
        case .confidential(let entry): entry.staffJSON
        }
    }
}
