internal import GRDB

// What a ticket's reader is told beside the ticket. The database keeps tallies, so that a ticket costs a list the same
// however long its chat is.
extension Tables {
    /// Three columns of a query over `tickets t`: comments, messages, unread messages.
    static let counts = """
        (SELECT coalesce(sum(n.comments), 0) FROM comment_tallies n WHERE n.ticket_id = t.id AND n.internal <= ?),
        (SELECT coalesce(sum(n.messages), 0) FROM chats c JOIN message_tallies n ON n.chat_id = c.id
            WHERE c.ticket_id = t.id),
        (SELECT coalesce(sum(n.messages), 0) FROM chats c JOIN message_tallies n ON n.chat_id = c.id
            WHERE c.ticket_id = t.id AND n.sender_id <> ?)
            - coalesce((SELECT r.others FROM chats c JOIN read_marks r ON r.chat_id = c.id
                WHERE c.ticket_id = t.id AND r.user_id = ?), 0)
        """

    /// For the question marks of `counts`.
    static func countArguments(_ reader: User) -> StatementArguments {
        [reader.isAdmin, reader.id, reader.id]
    }
}
