extension Migrations {
    static let tallies = """
        -- How many comments a ticket has of each kind, and how many messages each sender has in a chat. Comments and
        -- messages come one by one, and go with their ticket only.
        CREATE TABLE comment_tallies (
            ticket_id INTEGER NOT NULL REFERENCES tickets (id) ON DELETE CASCADE,
            internal INTEGER NOT NULL CHECK (internal IN (0, 1)),
            comments INTEGER NOT NULL CHECK (comments > 0),
            PRIMARY KEY (ticket_id, internal)
        ) STRICT, WITHOUT ROWID;
        CREATE TRIGGER comments_tally AFTER INSERT ON comments BEGIN
            INSERT INTO comment_tallies (ticket_id, internal, comments) VALUES (new.ticket_id, new.internal, 1)
            ON CONFLICT (ticket_id, internal) DO UPDATE SET comments = comments + 1;
        END;

        CREATE TABLE message_tallies (
            chat_id INTEGER NOT NULL REFERENCES chats (id) ON DELETE CASCADE,
            sender_id INTEGER NOT NULL REFERENCES users (id),
            messages INTEGER NOT NULL CHECK (messages > 0),
            PRIMARY KEY (chat_id, sender_id)
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX message_tallies_by_sender ON message_tallies (sender_id);
        INSERT INTO message_tallies (chat_id, sender_id, messages)
            SELECT chat_id, sender_id, count(*) FROM messages GROUP BY chat_id, sender_id;
        CREATE TRIGGER messages_tally AFTER INSERT ON messages BEGIN
            INSERT INTO message_tallies (chat_id, sender_id, messages) VALUES (new.chat_id, new.sender_id, 1)
            ON CONFLICT (chat_id, sender_id) DO UPDATE SET messages = messages + 1;
        END;
        """
}
