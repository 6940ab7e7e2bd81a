/// Why a request was not done. Closed: the HTTP edge knows a status and a text for each.
enum TicketFailure: Error {
    case unauthenticated
    case wrongCredentials
    case notAllowed
    /// Nothing there, or nothing that this caller may know about.
    case notFound
    /// No such account, for an admin, who may know about all of them.
    case userNotFound
    case tokenNotFound
    case invalid(ValidationErrors)
    /// The ticket is not in the state that the caller knows.
    case stale
    /// `resetsAt` is in seconds since 1970.
    case throttled(retryAfterSeconds: Int64, limit: Int, resetsAt: Int64)
    /// More work of a costly kind is waiting than will be done soon.
    case overloaded

    static let ticketIsClosed = TicketFailure.invalid(ValidationErrors("ticket", "The ticket is closed."))
}

extension TicketFailure {
    /// No more than `limit` requests until a moment; it is told in whole seconds, never too early.
    static func throttled(limit: Int, until end: Timestamp, now: Timestamp) -> TicketFailure {
        .throttled(
            retryAfterSeconds: max(1, (end.microseconds - now.microseconds + 999_999) / 1_000_000), limit: limit,
            resetsAt: (end.microseconds + 999_999) / 1_000_000)
    }
}

/// What is wrong with the fields of a request, in the order in which it was found.
struct ValidationErrors: Sendable {
    private(set) var fields: [(name: String, messages: [String])] = []

    init() {}

    init(_ field: String, _ message: String) {
        self.add(field, message)
    }

    var isEmpty: Bool { self.fields.isEmpty }

    mutating func add(_ field: String, _ message: String) {
        if let index = self.fields.firstIndex(where: { $0.name == field }) {
            self.fields[index].messages.append(message)
        } else {
            self.fields.append((name: field, messages: [message]))
        }
    }

    /// The first message, and how many there are besides.
    var summary: String {
        let all = self.fields.flatMap(\.messages)
        guard let first = all.first, all.count > 1 else { return all.first ?? "" }
        return "\(first) (and \(all.count - 1) more error\(all.count == 2 ? "" : "s"))"
    }
}
