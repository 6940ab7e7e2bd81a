/// Who may do what with a ticket.
enum TicketPolicy {
    /// Whether the ticket exists for this user at all.
    static func canSee(_ ticket: Ticket, _ user: User) -> Bool {
        user.isAdmin || ticket.owner.id == user.id
    }

    /// Whether subject, description, category and priority may be changed.
    static func canEdit(_ ticket: Ticket, _ user: User) -> Bool {
        user.isAdmin || (ticket.owner.id == user.id && ticket.status != .closed)
    }

    /// Whether status and assignee may be changed.
    static func canManage(_ user: User) -> Bool { user.isAdmin }

    static func canDelete(_ user: User) -> Bool { user.isAdmin }

    /// Whether a message or a comment may be posted.
    static func canWrite(_ ticket: Ticket, _ user: User) -> Bool {
        user.isAdmin || ticket.status != .closed
    }
}
