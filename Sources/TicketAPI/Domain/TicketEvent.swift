/// What happened, worth telling others; the raw value is the event's plain name on the wire.
package enum TicketEvent: String, Sendable, CaseIterable {
    case newMessage = "NewMessage"
    case messageRead = "MessageRead"
    case commentAdded = "CommentAdded"
    case ticketCreated = "TicketCreated"
    case ticketUpdated = "TicketUpdated"
    case ticketDeleted = "TicketDeleted"
}
