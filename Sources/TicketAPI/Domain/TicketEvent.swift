/// What happened, worth telling others.
enum TicketEvent: String, Sendable, CaseIterable {
    case newMessage = "NewMessage"
    case ticketCreated = "TicketCreated"
    case ticketUpdated = "TicketUpdated"
    case ticketDeleted = "TicketDeleted"
}
