internal import PusherPublisher

// The JSON shapes of the contract, for answers and for events.

extension Participant {
    var json: JSON {
        ["id": .int(self.id), "name": .string(self.name), "role": .string(self.role.rawValue)]
    }
}

extension User {
    /// The account's own view.
    var json: JSON {
        [
            "id": .int(self.id), "name": .string(self.name), "email": .string(self.email),
            "role": .string(self.role.rawValue), "created_at": .string(self.createdAt.iso8601),
        ]
    }
}

extension Ticket: SharedContent {
    /// What an event tells: nothing that depends on the reader.
    var json: JSON {
        [
            "id": .int(self.id), "subject": .string(self.subject), "category": .string(self.category.word),
            "priority": .string(self.priority.word), "status": .string(self.status.word), "user": self.owner.json,
            "assignee": self.assignee?.json ?? .null, "created_at": .string(self.createdAt.iso8601),
            "updated_at": .string(self.updatedAt.iso8601),
        ]
    }
}

extension Attachment {
    /// The URL is a path of this API, the same in answers and in events: a client joins it to the base it uses.
    var json: JSON {
        [
            "id": .int(self.id), "name": .string(self.name), "mime_type": .string(self.type.rawValue),
            "size": .int(self.size), "url": .string("/attachments/\(self.id)"),
        ]
    }
}

extension TicketView {
    var json: JSON { .object(self.members(description: .string(self.ticket.description))) }

    /// For a list: without a description that would be too long, which the reader fetches by the ticket's id.
    var listJSON: JSON {
        guard self.ticket.description.unicodeScalars.count > Self.maxListedDescription else { return self.json }
        return .object(self.members(description: .null) + [("truncated", true)])
    }

    private func members(description: JSON) -> [(name: String, value: JSON)] {
        let ticket = self.ticket
        return [
            ("id", .int(ticket.id)), ("subject", .string(ticket.subject)), ("description", description),
            ("category", .string(ticket.category.word)), ("priority", .string(ticket.priority.word)),
            ("status", .string(ticket.status.word)), ("user", ticket.owner.json),
            ("assignee", ticket.assignee?.json ?? .null),
            ("attachments", .array(self.attachments.map(\.json))), ("comments_count", .int(self.comments)),
            ("messages_count", .int(self.messages)), ("unread_count", .int(self.unread)),
            ("created_at", .string(ticket.createdAt.iso8601)), ("updated_at", .string(ticket.updatedAt.iso8601)),
        ]
    }
}

extension Message: SharedContent {
    var json: JSON { .object(self.members(content: .optional(self.content))) }

    /// The reader fetches the text by the message's id.
    var shortJSON: JSON { .object(self.members(content: .null) + [("truncated", true)]) }

    private func members(content: JSON) -> [(name: String, value: JSON)] {
        [
            ("id", .int(self.id)), ("chat_id", .int(self.chatID)), ("ticket_id", .int(self.ticketID)),
            ("content", content), ("attachments", .array(self.attachments.map(\.json))),
            ("created_at", .string(self.createdAt.iso8601)),
            ("sender", self.sender.json), ("receiver_id", .optional(self.receiverID)),
        ]
    }
}

extension ChatPage {
    var json: JSON {
        [
            "chat": [
                "id": .int(self.chat.id), "ticket_id": .int(self.chat.ticketID),
                "customer_id": .int(self.chat.customerID), "admin_id": .optional(self.chat.adminID),
                "last_read": .object(self.readMarks.map { (name: String($0.userID), value: .int($0.messageID)) }),
            ],
            "messages": .array(self.messages.map(\.json)),
            "meta": ["has_more_before": .bool(self.hasMoreBefore), "has_more_after": .bool(self.hasMoreAfter)],
        ]
    }
}
