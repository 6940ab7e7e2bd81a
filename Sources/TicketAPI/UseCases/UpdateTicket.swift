/// Changes and deletes tickets.
struct UpdateTicket: Sendable {
    let store: TicketStore
    /// Hears that a ticket was deleted, and with it perhaps files.
    let onDelete: @Sendable () -> Void
    let now: @Sendable () -> Timestamp

    /// Changes the fields that were sent. Where nothing changes, nobody is told.
    ///
    /// What the caller may do comes first, then the state of the ticket, then what is wrong with the fields, so that a
    /// caller without the right learns nothing. `managing` says whether status or assignee were sent at all.
    func callAsFunction(
        _ id: Int64, by session: Session, expecting version: ExpectedVersion, managing: Bool,
        changes: Result<TicketChanges, TicketFailure>
    ) async throws -> TicketView {
        let now = self.now()
        return try await self.store.write { tables in
            let user = try tables.confirmed(session)
            let before = try tables.visibleTicket(id, to: user)
            guard !managing || TicketPolicy.canManage(user), TicketPolicy.canEdit(before, user) else {
                throw TicketFailure.notAllowed
            }
            try version.check(before)
            let after = try tables.applying(changes.get(), to: before)
            try tables.change(before, to: after, by: user.id, now: now)
            guard let view = try tables.ticketView(id, reader: user) else { throw TicketFailure.notFound }
            return view
        }
    }

    func delete(_ id: Int64, by session: Session, expecting version: ExpectedVersion) async throws {
        try await self.store.write { tables in
            let user = try tables.confirmed(session)
            let ticket = try tables.visibleTicket(id, to: user)
            guard TicketPolicy.canDelete(user) else { throw TicketFailure.notAllowed }
            try version.check(ticket)
            try tables.deleteTicket(id)
            try tables.announce(.ticketDeleted, ticket)
        }
        self.onDelete()
    }
}

extension Tables {
    /// Stores a changed ticket, notes who changed what, and tells admins and owner; nothing of it where nothing
    /// changed. Every change of a ticket is made here.
    func change(_ before: Ticket, to after: Ticket, by actorID: Int64?, now: Timestamp) throws {
        guard after != before else { return }
        var after = after
        // Never before the last change, whatever the clock says.
        after.updatedAt = max(now, Timestamp(microseconds: before.updatedAt.microseconds + 1))
        try self.updateTicket(after)
        try self.recordChange(from: before, to: after, by: actorID)
        try self.announce(.ticketUpdated, after)
    }

    /// The ticket with the fields as they were sent. Throws `invalid` for an assignee who is not an admin.
    fileprivate func applying(_ changes: TicketChanges, to ticket: Ticket) throws -> Ticket {
        var result = ticket
        result.subject = changes.subject ?? ticket.subject
        result.description = changes.description ?? ticket.description
        result.category = changes.category ?? ticket.category
        result.priority = changes.priority ?? ticket.priority
        result.status = changes.status ?? ticket.status
        switch changes.assignee {
        case nil: break
        case .nobody: result.assignee = nil
        case .user(let id):
            guard let assignee = try self.participant(id), assignee.role == .admin else {
                throw TicketFailure.invalid(ValidationErrors("assigned_to", "The selected assigned to is invalid."))
            }
            result.assignee = assignee
        }
        return result
    }
}
