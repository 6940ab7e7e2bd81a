extension Migrations {
    static let attachments = """
        -- A message may have no text when it has an attachment.
        CREATE TABLE new_messages (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            chat_id INTEGER NOT NULL REFERENCES chats (id) ON DELETE CASCADE,
            sender_id INTEGER NOT NULL REFERENCES users (id),
            receiver_id INTEGER REFERENCES users (id),
            content TEXT CHECK (length(content) BETWEEN 1 AND 5000),
            created_at INTEGER NOT NULL
        ) STRICT;
        INSERT INTO new_messages (id, chat_id, sender_id, receiver_id, content, created_at)
            SELECT id, chat_id, sender_id, receiver_id, content, created_at FROM messages;
        UPDATE sqlite_sequence SET seq = (SELECT seq FROM sqlite_sequence WHERE name = 'messages')
            WHERE name = 'new_messages' AND EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = 'messages');
        DROP TABLE messages;
        ALTER TABLE new_messages RENAME TO messages;
        CREATE INDEX messages_by_chat ON messages (chat_id, id);
        CREATE INDEX messages_by_sender ON messages (sender_id);
        CREATE INDEX messages_by_receiver ON messages (receiver_id);

        -- Files of a ticket, or of one message in its chat. The bytes lie in `attachments/{file}`.
        CREATE TABLE attachments (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            ticket_id INTEGER NOT NULL REFERENCES tickets (id) ON DELETE CASCADE,
            message_id INTEGER REFERENCES messages (id) ON DELETE CASCADE,
            name TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 255),
            mime_type TEXT NOT NULL CHECK (mime_type IN ('image/jpeg', 'image/png', 'application/pdf')),
            size INTEGER NOT NULL CHECK (size BETWEEN 1 AND 2097152),
            sha256 BLOB NOT NULL CHECK (length(sha256) = 32),
            file TEXT NOT NULL UNIQUE CHECK (length(file) = 32),
            created_at INTEGER NOT NULL
        ) STRICT;
        CREATE INDEX attachments_by_ticket ON attachments (ticket_id, message_id, id);
        CREATE INDEX attachments_by_message ON attachments (message_id, id);

        -- Files whose rows are gone; they are removed when that is committed.
        CREATE TABLE discarded_files (file TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;
        CREATE TRIGGER attachments_discard AFTER DELETE ON attachments BEGIN
            INSERT OR IGNORE INTO discarded_files (file) VALUES (old.file);
        END;
        """
}
