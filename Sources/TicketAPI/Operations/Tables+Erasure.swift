internal import GRDB

/// What an erasure did in the database, and what remains to be done outside it.
package struct ErasedAccount: Sendable {
    package let userID: Int64
    package let tickets: Int
    /// Attachments whose files are nobody's any more.
    package let files: [String]
    /// Whether something that others need refers to the account, which stays without name and address.
    package let isAnonymised: Bool
}

extension Tables {
    /// Deletes the user's tickets, tokens and marks, and the account. When others' tickets have something of the user in
    /// them (an admin's answers), the account stays as "Deleted user", without address, password and rights. Refuses the
    /// last admin.
    func erase(_ user: User, now: Timestamp) throws -> ErasedAccount {
        // An admin is first made none, which gives tickets and chats to others.
        if try self.changeRoleOrRefuse(of: user, to: .customer) {
            while try self.handOver(from: user.id, by: nil, limit: Handover.batch, now: now) {}
        }
        try self.revokeTokens(of: user.id)
        let files = try self.attachmentFiles(ofOwner: user.id).map(\.file)
        let tickets = try self.rows("SELECT id FROM tickets WHERE user_id = ? ORDER BY id", [user.id]) {
            $0[0] as Int64
        }
        for id in tickets { try self.eraseTicket(id) }
        try self.removeName(of: user.id)
        try self.run("DELETE FROM read_marks WHERE user_id = ?", [user.id])
        try self.run("DELETE FROM idempotency_keys WHERE user_id = ?", [user.id])
        return ErasedAccount(
            userID: user.id, tickets: tickets.count, files: files, isAnonymised: try !self.deleteAccount(user.id))
    }

    /// Deletes a ticket with what waits to be told of it, and tells, without a word of what was in it, that it is gone.
    private func eraseTicket(_ id: Int64) throws {
        guard var ticket = try self.ticket(id) else { return }
        try self.deleteTicket(id)
        try self.run("DELETE FROM outbox WHERE ticket_id = ?", [id])
        ticket.subject = Self.deletedSubject
        try self.announce(.ticketDeleted, ticket.ownedBy(Self.deleted(ticket.owner)))
    }

    /// Takes the user's name out of what waits to be told of others' tickets.
    private func removeName(of userID: Int64) throws {
        for member in ["message.sender", "comment.user", "ticket.user", "ticket.assignee"] {
            try self.run(
                """
                UPDATE outbox SET data = json_set(data, '$.\(member).name', ?1)
                WHERE json_extract(data, '$.\(member).id') = ?2
                """, [Self.deletedName, userID])
        }
    }

    /// False when the account had to stay, anonymised: the schema knows whether anything refers to it.
    private func deleteAccount(_ id: Int64) throws -> Bool {
        do {
            try self.run("DELETE FROM users WHERE id = ?", [id])
            return true
        } catch let error as DatabaseError where error.extendedResultCode == .SQLITE_CONSTRAINT_FOREIGNKEY {
            // No address has this form and no password this hash: nobody can register or log in with them.
            try self.run(
                """
                UPDATE users SET name = ?, email = 'deleted:' || id, email_key = 'deleted:' || id, role = 'customer',
                    password_hash = '' WHERE id = ?
                """, [Self.deletedName, id])
            return false
        }
    }

    private static let deletedName = "Deleted user"
    private static let deletedSubject = "Deleted"

    private static func deleted(_ participant: Participant) -> Participant {
        Participant(id: participant.id, name: self.deletedName, role: participant.role)
    }
}

extension Ticket {
    fileprivate func ownedBy(_ owner: Participant) -> Ticket {
        Ticket(
            id: self.id, owner: owner, assignee: self.assignee, subject: self.subject, description: self.description,
            category: self.category, priority: self.priority, status: self.status, createdAt: self.createdAt,
            updatedAt: self.updatedAt)
    }
}
