extension Migrations {
    static let commentsActivityReadMarks = """
        CREATE TABLE comments (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            ticket_id INTEGER NOT NULL REFERENCES tickets (id) ON DELETE CASCADE,
            user_id INTEGER NOT NULL REFERENCES users (id),
            content TEXT NOT NULL CHECK (length(content) BETWEEN 1 AND 5000),
            internal INTEGER NOT NULL CHECK (internal IN (0, 1)),
            created_at INTEGER NOT NULL
        ) STRICT;
        CREATE INDEX comments_by_ticket ON comments (ticket_id, id);
        CREATE INDEX comments_for_customers ON comments (ticket_id, id) WHERE internal = 0;
        CREATE INDEX comments_by_author ON comments (user_id);

        -- What was done to a ticket. `changes` is {"field": [old, new]}. Without a user it was the operator.
        CREATE TABLE activity (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            ticket_id INTEGER NOT NULL REFERENCES tickets (id) ON DELETE CASCADE,
            user_id INTEGER REFERENCES users (id),
            type TEXT NOT NULL CHECK (type IN ('created', 'updated', 'commented')),
            internal INTEGER NOT NULL CHECK (internal IN (0, 1)),
            changes TEXT NOT NULL CHECK (json_type(changes) = 'object'),
            created_at INTEGER NOT NULL
        ) STRICT;
        CREATE INDEX activity_by_ticket ON activity (ticket_id, id);
        CREATE INDEX activity_for_customers ON activity (ticket_id, id) WHERE internal = 0;
        CREATE INDEX activity_by_actor ON activity (user_id);

        -- Up to which message of a chat a user has read, and how many messages of others that is.
        CREATE TABLE read_marks (
            chat_id INTEGER NOT NULL REFERENCES chats (id) ON DELETE CASCADE,
            user_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
            message_id INTEGER NOT NULL REFERENCES messages (id),
            others INTEGER NOT NULL CHECK (others >= 0),
            PRIMARY KEY (chat_id, user_id)
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX read_marks_by_user ON read_marks (user_id);
        CREATE INDEX read_marks_by_message ON read_marks (message_id);
        """
}
