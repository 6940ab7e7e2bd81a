extension Migrations {
    static let accountsSearchAndFigures = """
        -- The lists of accounts, of all and of a role.
        CREATE INDEX users_by_age ON users (created_at);
        CREATE INDEX users_by_name ON users (name COLLATE NOCASE);
        CREATE INDEX users_by_role ON users (role, created_at);
        CREATE INDEX users_by_role_and_name ON users (role, name COLLATE NOCASE);
        CREATE INDEX users_by_role_and_email ON users (role, email_key);
        -- The chats that a demoted admin leaves behind.
        CREATE INDEX chats_by_admin ON chats (admin_id);

        -- The words of names and addresses.
        CREATE VIRTUAL TABLE users_search USING fts5(
            name, email, content = 'users', content_rowid = 'id', tokenize = 'unicode61 remove_diacritics 2',
            prefix = '1 2 3');
        INSERT INTO users_search (users_search) VALUES ('rebuild');
        CREATE TRIGGER users_search_insert AFTER INSERT ON users BEGIN
            INSERT INTO users_search (rowid, name, email) VALUES (new.id, new.name, new.email);
        END;
        CREATE TRIGGER users_search_delete AFTER DELETE ON users BEGIN
            INSERT INTO users_search (users_search, rowid, name, email) VALUES ('delete', old.id, old.name, old.email);
        END;
        CREATE TRIGGER users_search_update AFTER UPDATE OF name, email ON users BEGIN
            INSERT INTO users_search (users_search, rowid, name, email) VALUES ('delete', old.id, old.name, old.email);
            INSERT INTO users_search (rowid, name, email) VALUES (new.id, new.name, new.email);
        END;

        -- Counted from the index alone, which has all three terms.
        CREATE INDEX tickets_by_terms ON tickets (status, priority, category);

        -- How many messages there are of each day (UTC, counted since 1970).
        CREATE TABLE message_days (day INTEGER PRIMARY KEY, count INTEGER NOT NULL CHECK (count >= 0)) STRICT;
        INSERT INTO message_days (day, count)
            SELECT created_at / 86400000000, count(*) FROM messages GROUP BY 1;
        CREATE TRIGGER message_days_insert AFTER INSERT ON messages BEGIN
            INSERT INTO message_days (day, count) VALUES (new.created_at / 86400000000, 1)
                ON CONFLICT (day) DO UPDATE SET count = count + 1;
        END;
        CREATE TRIGGER message_days_delete AFTER DELETE ON messages BEGIN
            UPDATE message_days SET count = count - 1 WHERE day = old.created_at / 86400000000;
        END;

        -- How long each ticket waited for the first word of an admin, in a message or a comment that its owner can see.
        -- What admins say to tickets of their own is no response.
        CREATE TABLE first_responses (
            ticket_id INTEGER PRIMARY KEY REFERENCES tickets (id) ON DELETE CASCADE,
            microseconds INTEGER NOT NULL CHECK (microseconds >= 0)
        ) STRICT;
        CREATE INDEX first_responses_by_duration ON first_responses (microseconds);
        INSERT INTO first_responses (ticket_id, microseconds)
            SELECT t.id, max(0, min(w.created_at) - t.created_at)
            FROM (
                SELECT c.ticket_id, m.sender_id AS user_id, m.created_at
                    FROM messages m JOIN chats c ON c.id = m.chat_id
                UNION ALL
                SELECT ticket_id, user_id, created_at FROM comments WHERE internal = 0
            ) w
            JOIN users u ON u.id = w.user_id AND u.role = 'admin'
            JOIN tickets t ON t.id = w.ticket_id AND t.user_id <> w.user_id
            GROUP BY t.id;
        CREATE TRIGGER first_responses_message AFTER INSERT ON messages
            WHEN (SELECT role FROM users WHERE id = new.sender_id) = 'admin'
        BEGIN
            INSERT INTO first_responses (ticket_id, microseconds)
                SELECT t.id, max(0, new.created_at - t.created_at)
                FROM chats c JOIN tickets t ON t.id = c.ticket_id
                WHERE c.id = new.chat_id AND t.user_id <> new.sender_id
                ON CONFLICT (ticket_id) DO NOTHING;
        END;
        CREATE TRIGGER first_responses_comment AFTER INSERT ON comments
            WHEN new.internal = 0 AND (SELECT role FROM users WHERE id = new.user_id) = 'admin'
        BEGIN
            INSERT INTO first_responses (ticket_id, microseconds)
                SELECT t.id, max(0, new.created_at - t.created_at) FROM tickets t
                WHERE t.id = new.ticket_id AND t.user_id <> new.user_id
                ON CONFLICT (ticket_id) DO NOTHING;
        END;
        """
}
