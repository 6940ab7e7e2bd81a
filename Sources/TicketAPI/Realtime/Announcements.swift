internal import PusherProtocol
internal import PusherPublisher

extension Tables {
    /// Tells the chat of a message, all but the connection that sent it.
    func announce(_ message: Message, except socketID: String?) throws {
        var data = JSON.object([("message", message.json)]).text
        if data.utf8.count > Limits().eventData {
            data = JSON.object([("message", message.jsonWithoutContent)]).text
        }
        try self.publish(
            .newMessage, of: message.ticketID, on: [TicketChannel.chat(message.ticketID).name], data: data,
            except: socketID)
    }

    /// Tells the admins and the owner what became of a ticket. A subject of 255 characters fits in every spelling.
    func announce(_ event: TicketEvent, _ ticket: Ticket) throws {
        try self.publish(
            event, of: ticket.id,
            on: [TicketChannel.tickets.name, TicketChannel.user(ticket.owner.id).name],
            data: JSON.object([("ticket", ticket.eventJSON)]).text)
    }
}
