internal import FoundationEssentials
internal import GRDB

extension Tables {
    func chat(ofTicket ticketID: Int64) throws -> Chat? {
        try self.row("SELECT id, ticket_id, customer_id, admin_id FROM chats WHERE ticket_id = ?", [ticketID]) {
            Chat(id: $0[0], ticketID: $0[1], customerID: $0[2], adminID: $0[3])
        }
    }

    /// The ticket's chat, opened if there is none. A chat that was opened when there was no admin gets one now.
    func openChat(of ticket: Ticket) throws -> Chat {
        let chat = try self.chat(ofTicket: ticket.id)
        if let chat, chat.adminID != nil { return chat }
        // Who is admin no longer may have the ticket for a moment yet.
        let adminID = try ticket.assignee.flatMap { $0.role == .admin ? $0.id : nil } ?? self.firstAdmin()
        guard let chat else {
            let id = try self.insert(
                "INSERT INTO chats (ticket_id, customer_id, admin_id) VALUES (?, ?, ?)",
                [ticket.id, ticket.owner.id, adminID])
            return Chat(id: id, ticketID: ticket.id, customerID: ticket.owner.id, adminID: adminID)
        }
        guard let adminID else { return chat }
        try self.run("UPDATE chats SET admin_id = ? WHERE id = ?", [adminID, chat.id])
        return Chat(id: chat.id, ticketID: chat.ticketID, customerID: chat.customerID, adminID: adminID)
    }

    func insertMessage(
        _ content: String?, with files: [NewAttachment] = [], in chat: Chat, from sender: Participant, now: Timestamp
    ) throws -> Message {
        let receiverID = chat.receiver(ofMessageFrom: sender.id)
        let id = try self.insert(
            "INSERT INTO messages (chat_id, sender_id, receiver_id, content, created_at) VALUES (?, ?, ?, ?, ?)",
            [chat.id, sender.id, receiverID, content, now.microseconds])
        return Message(
            id: id, chatID: chat.id, ticketID: chat.ticketID, content: content,
            attachments: try self.insertAttachments(files, ofTicket: chat.ticketID, message: id, now: now),
            createdAt: now, sender: sender, receiverID: receiverID)
    }

    /// The messages at a position: the oldest of them when it only says after what, else the newest.
    func messages(in chat: Chat, _ position: ChatPosition) throws -> ChatPage {
        let (before, after) = (position.before, position.after)
        let takesOldest = after != nil && before == nil
        let rows = try self.rows(
            """
            SELECT m.id, m.content, m.created_at, m.receiver_id, u.id, u.name, u.role
            FROM messages m JOIN users u ON u.id = m.sender_id
            WHERE m.chat_id = ? AND m.id > ? AND m.id < ? ORDER BY m.id \(takesOldest ? "ASC" : "DESC") LIMIT ?
            """,
            [chat.id, after ?? 0, before ?? Int64.max, position.limit]
        ) { row in row.copy() }
        let attachments = try self.attachments(ofMessages: rows.map { $0[0] })
        let messages = rows.map { row in
            Message(
                id: row[0], chatID: chat.id, ticketID: chat.ticketID, content: row[1],
                attachments: attachments[row[0]] ?? [], createdAt: Timestamp(microseconds: row[2]),
                sender: Participant(row: row, at: 4), receiverID: row[3])
        }
        let ordered = takesOldest ? messages : messages.reversed()
        // An empty page lies between the positions that were asked for.
        let hasMoreBefore =
            try ordered.first.map { try self.hasMessage(in: chat, "id < ?", $0.id) }
            ?? after.map { try self.hasMessage(in: chat, "id <= ?", $0) } ?? false
        let hasMoreAfter =
            try ordered.last.map { try self.hasMessage(in: chat, "id > ?", $0.id) }
            ?? before.map { try self.hasMessage(in: chat, "id >= ?", $0) } ?? false
        return ChatPage(
            chat: chat, readMarks: try self.readMarks(in: chat), messages: ordered, hasMoreBefore: hasMoreBefore,
            hasMoreAfter: hasMoreAfter)
    }

    private func hasMessage(in chat: Chat, _ condition: String, _ id: Int64) throws -> Bool {
        try self.row("SELECT 1 FROM messages WHERE chat_id = ? AND \(condition) LIMIT 1", [chat.id, id]) { _ in true }
            ?? false
    }

    func firstAdmin() throws -> Int64? {
        try self.row("SELECT min(id) FROM users WHERE role = 'admin'", []) { $0[0] as Int64? } ?? nil
    }

    /// What was answered to this key not longer than a day ago.
    func answer(to key: IdempotencyKey, since: Timestamp) throws -> (contentHash: [UInt8], answer: String)? {
        try self.row(
            """
            SELECT content_sha256, answer FROM idempotency_keys
            WHERE user_id = ? AND ticket_id = ? AND key = ? AND created_at > ?
            """, [key.userID, key.ticketID, key.text, since.microseconds]
        ) { (contentHash: [UInt8]($0[0] as Data), answer: $0[1]) }
    }

    /// Keeps an answer, and forgets some that are older than `expiry`.
    func keepAnswer(_ answer: String, to key: IdempotencyKey, contentHash: [UInt8], now: Timestamp, expiry: Timestamp)
        throws
    {
        try self.run(
            """
            DELETE FROM idempotency_keys WHERE (user_id, ticket_id, key) IN (
                SELECT user_id, ticket_id, key FROM idempotency_keys WHERE created_at <= ? ORDER BY created_at LIMIT 20)
            """, [expiry.microseconds])
        try self.run(
            """
            INSERT OR REPLACE INTO idempotency_keys (user_id, ticket_id, key, content_sha256, answer, created_at)
            VALUES (?, ?, ?, ?, ?, ?)
            """,
            [key.userID, key.ticketID, key.text, Data(contentHash), answer, now.microseconds])
    }
}
