internal import GRDB

extension Tables {
    /// All marks in a chat.
    func readMarks(in chat: Chat) throws -> [ReadMark] {
        try self.rows("SELECT user_id, message_id FROM read_marks WHERE chat_id = ? ORDER BY user_id", [chat.id]) {
            ReadMark(userID: $0[0], messageID: $0[1])
        }
    }

    /// Moves a user's mark forward to a message, never back. Returns the mark as it is now, and whether it moved; nil for
    /// a message that is not in the chat.
    ///
    /// Each message of others is counted once for each reader, when the mark passes it, and never again by those who
    /// ask how many are unread.
    func moveReadMark(of userID: Int64, in chat: Chat, to messageID: Int64) throws -> (mark: ReadMark, moved: Bool)? {
        let isThere =
            try self.row("SELECT 1 FROM messages WHERE chat_id = ? AND id = ?", [chat.id, messageID]) { _ in true }
        guard isThere != nil else { return nil }
        let old = try self.row(
            "SELECT message_id, others FROM read_marks WHERE chat_id = ? AND user_id = ?", [chat.id, userID]
        ) { (messageID: $0[0] as Int64, others: $0[1] as Int64) }
        if let old, old.messageID >= messageID { return (ReadMark(userID: userID, messageID: old.messageID), false) }
        let passed: Int64 =
            try self.row(
                "SELECT count(*) FROM messages WHERE chat_id = ? AND id > ? AND id <= ? AND sender_id <> ?",
                [chat.id, old?.messageID ?? 0, messageID, userID]
            ) { $0[0] } ?? 0
        try self.run(
            """
            INSERT INTO read_marks (chat_id, user_id, message_id, others) VALUES (?, ?, ?, ?)
            ON CONFLICT (chat_id, user_id) DO UPDATE SET message_id = excluded.message_id, others = excluded.others
            """, [chat.id, userID, messageID, (old?.others ?? 0) + passed])
        return (ReadMark(userID: userID, messageID: messageID), true)
    }
}
