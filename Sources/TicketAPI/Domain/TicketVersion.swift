extension Ticket {
    /// Names this state of the ticket's own fields: another one after each change, the same for every reader. A change
    /// always moves `updatedAt`.
    var version: String { "\(self.id)-\(self.updatedAt.microseconds)" }
}

/// Which states of a ticket a request may change.
enum ExpectedVersion: Sendable, Equatable {
    case any
    case oneOf([String])

    /// Throws `TicketFailure.stale` when the ticket is in another state.
    func check(_ ticket: Ticket) throws(TicketFailure) {
        guard case .oneOf(let versions) = self, !versions.contains(ticket.version) else { return }
        throw .stale
    }
}
