/// Rows of the outbox that the broker has accepted and that are still to be deleted. They are not published again.
///
/// One deletion at a time takes all that there are. Pure; owned by the relay's loop.
struct AcceptedRows {
    private enum Deletion {
        case none, scheduled, running
    }

    /// Of each ticket, the last row that was accepted: rows go out in order, so all before it were, too.
    private(set) var last: [Int64: Int64] = [:]
    /// The last try to delete them failed.
    private(set) var couldNotBeDeleted = false
    /// The tickets of all rows, by the rows' ids.
    private var tickets: [Int64: Int64] = [:]
    private var deletion = Deletion.none

    var isEmpty: Bool { self.tickets.isEmpty }

    /// - Parameter rows: of each ticket in order.
    mutating func add(_ rows: [OutboxRow]) {
        for row in rows {
            self.tickets[row.id] = row.ticketID
            self.last[row.ticketID] = row.id
        }
    }

    /// Whether `beginDeletion` is to be called, later: there are rows, and nobody has been told so yet.
    mutating func scheduleDeletion() -> Bool {
        guard case .none = self.deletion, !self.isEmpty else { return false }
        self.deletion = .scheduled
        return true
    }

    /// What is to be deleted now; nil when that is being done, or has been.
    mutating func beginDeletion() -> [Int64]? {
        guard case .scheduled = self.deletion else { return nil }
        self.deletion = .running
        return self.tickets.keys.sorted()
    }

    mutating func endDeletion(of ids: [Int64], isDone: Bool) {
        self.deletion = .none
        self.couldNotBeDeleted = !isDone
        guard isDone else { return }
        for id in ids {
            guard let ticketID = self.tickets.removeValue(forKey: id), self.last[ticketID] == id else { continue }
            self.last[ticketID] = nil
        }
    }
}
