extension Migrations {
    static let accountsTicketsChatsOutbox = """
        CREATE TABLE users (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            name TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 255),
            email TEXT NOT NULL,
            email_key TEXT NOT NULL UNIQUE,
            role TEXT NOT NULL CHECK (role IN ('admin', 'customer')),
            password_hash TEXT NOT NULL,
            created_at INTEGER NOT NULL
        ) STRICT;

        CREATE TABLE tokens (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            user_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
            name TEXT NOT NULL,
            secret_sha256 BLOB NOT NULL CHECK (length(secret_sha256) = 32),
            created_at INTEGER NOT NULL
        ) STRICT;
        CREATE INDEX tokens_by_user ON tokens (user_id);

        CREATE TABLE tickets (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            user_id INTEGER NOT NULL REFERENCES users (id),
            assignee_id INTEGER REFERENCES users (id),
            subject TEXT NOT NULL CHECK (length(subject) BETWEEN 1 AND 255),
            description TEXT NOT NULL CHECK (length(description) BETWEEN 1 AND 65535),
            category INTEGER NOT NULL CHECK (category BETWEEN 0 AND 2),
            priority INTEGER NOT NULL CHECK (priority BETWEEN 0 AND 2),
            status INTEGER NOT NULL CHECK (status BETWEEN 0 AND 3),
            created_at INTEGER NOT NULL,
            updated_at INTEGER NOT NULL
        ) STRICT;
        CREATE INDEX tickets_by_age ON tickets (created_at, id);
        CREATE INDEX tickets_by_owner ON tickets (user_id, created_at, id);
        CREATE INDEX tickets_by_assignee ON tickets (assignee_id);

        CREATE TABLE chats (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            ticket_id INTEGER NOT NULL UNIQUE REFERENCES tickets (id) ON DELETE CASCADE,
            customer_id INTEGER NOT NULL REFERENCES users (id),
            admin_id INTEGER REFERENCES users (id)
        ) STRICT;

        CREATE TABLE messages (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            chat_id INTEGER NOT NULL REFERENCES chats (id) ON DELETE CASCADE,
            sender_id INTEGER NOT NULL REFERENCES users (id),
            receiver_id INTEGER REFERENCES users (id),
            content TEXT NOT NULL CHECK (length(content) BETWEEN 1 AND 5000),
            created_at INTEGER NOT NULL
        ) STRICT;
        CREATE INDEX messages_by_chat ON messages (chat_id, id);

        CREATE TABLE idempotency_keys (
            user_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
            ticket_id INTEGER NOT NULL REFERENCES tickets (id) ON DELETE CASCADE,
            key TEXT NOT NULL,
            content_sha256 BLOB NOT NULL CHECK (length(content_sha256) = 32),
            answer TEXT NOT NULL,
            created_at INTEGER NOT NULL,
            PRIMARY KEY (user_id, ticket_id, key)
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX idempotency_keys_by_age ON idempotency_keys (created_at);
        CREATE INDEX idempotency_keys_by_ticket ON idempotency_keys (ticket_id);

        -- What is still to be published. The ticket may be gone: that it is gone is published too.
        CREATE TABLE outbox (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            ticket_id INTEGER NOT NULL,
            event TEXT NOT NULL,
            channels TEXT NOT NULL,
            data TEXT NOT NULL,
            socket_id TEXT
        ) STRICT;
        CREATE INDEX outbox_by_ticket ON outbox (ticket_id, id);
        """
}
