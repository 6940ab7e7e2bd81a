extension Tables {
    /// Tells the chat of a message, all but the connection that sent it.
    func announce(_ message: Message, except socketID: String?) throws {
        try self.publish(
            .newMessage, of: message.ticketID, on: [.chat(message.ticketID)], SharedData("message", message),
            except: socketID)
    }

    /// Tells the chat up to where somebody has read.
    func announce(_ mark: ReadMark, ofTicket ticketID: Int64, except socketID: String?) throws {
        try self.publish(.messageRead, of: ticketID, on: [.chat(ticketID)], SharedData(mark), except: socketID)
    }

    /// Tells the chat of a comment.
    func announce(_ comment: Shared<Comment>, ofTicket ticketID: Int64, except socketID: String?) throws {
        try self.publish(
            .commentAdded, of: ticketID, on: [.chat(ticketID)], SharedData("comment", comment), except: socketID)
    }

    /// Tells staff of an internal note.
    func announce(_ note: Confidential<Comment>, ofTicket ticketID: Int64, except socketID: String?) throws {
        try self.publish(.commentAdded, of: ticketID, on: .tickets, StaffData("comment", note), except: socketID)
    }

    /// Tells the admins and the owner what became of a ticket. A subject of 255 characters fits in every spelling.
    func announce(_ event: TicketEvent, _ ticket: Ticket) throws {
        try self.publish(
            event, of: ticket.id, on: [.staff(.tickets), .user(ticket.owner.id)], SharedData("ticket", ticket))
    }
}
