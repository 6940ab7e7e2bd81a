/// An account to be made; everything in it is checked.
struct NewAccount: Sendable {
    let name: String
    let email: String
    let role: Role
    let passwordHash: String
}

/// A ticket to be opened; everything in it is checked.
struct TicketDraft: Sendable {
    let subject: String
    let description: String
    let category: Category
    let priority: Priority
    var attachments: [NewAttachment] = []
}

/// A message to be posted; everything in it is checked. It has a text, or attachments, or both.
struct MessageDraft: Sendable {
    let content: String?
    var attachments: [NewAttachment] = []
}

/// The fields of a ticket that were sent; nil for those that were not.
struct TicketChanges: Sendable {
    enum Assignee: Sendable { case nobody, user(Int64) }

    var subject: String?
    var description: String?
    var category: Category?
    var priority: Priority?
    var status: Status?
    var assignee: Assignee?
}

/// Which part of a list.
struct PageRequest: Sendable {
    /// From 1.
    var number: Int64 = 1
    /// 1…100.
    var perPage: Int64 = 10

    /// How many items lie before the page. A page beyond all numbers is as empty as any page past the end.
    var offset: Int64 {
        let (offset, overflow) = (self.number - 1).multipliedReportingOverflow(by: self.perPage)
        return overflow ? .max : offset
    }
}

/// Which tickets, in which order, and which part of them.
struct TicketQuery: Sendable {
    enum Assignee: Sendable { case nobody, user(Int64) }

    struct Sort: Sendable {
        enum Column: String, CaseIterable {
            case createdAt = "created_at"
            case updatedAt = "updated_at"
            case priority, status
        }
        var column: Column
        var isDescending: Bool

        /// A column's name, with `-` in front for descending.
        init?(_ text: String) {
            self.isDescending = text.hasPrefix("-")
            guard let column = Column(rawValue: self.isDescending ? String(text.dropFirst()) : text) else { return nil }
            self.column = column
        }

        static let newestFirst = Sort(column: .createdAt, isDescending: true)

        private init(column: Column, isDescending: Bool) {
            self.column = column
            self.isDescending = isDescending
        }
    }

    var status: Status?
    var priority: Priority?
    var category: Category?
    var assignee: Assignee?
    /// Only tickets in which all words of this text are found.
    var search: String?
    /// Only tickets of this user (a filter).
    var owner: Int64?
    /// Only tickets of this user (what the reader may see); nil for all.
    var visibleTo: Int64?
    var sort = Sort.newestFirst
    var page = PageRequest()
}

/// A client's name for one request, so that a repeated one is not done twice.
struct IdempotencyKey: Sendable {
    let userID: Int64
    let ticketID: Int64
    let text: String
}
