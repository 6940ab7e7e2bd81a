extension Migrations {
    static let searchAndListIndexes = """
        -- What a search looks through: a row for each ticket and for each message. A row's number begins with the
        -- ticket's id, so that an index of these rows knows the ticket.
        CREATE VIEW search_texts (id, text) AS
            SELECT id << 32, subject || char(10) || description FROM tickets
            UNION ALL
            SELECT c.ticket_id << 32 | m.id, m.content FROM messages m JOIN chats c ON c.id = m.chat_id
            WHERE m.content IS NOT NULL;

        -- Which words are in which rows, and nothing about where. The triggers keep it in step.
        CREATE VIRTUAL TABLE search USING fts5 (
            text, content = 'search_texts', content_rowid = 'id', detail = none, columnsize = 0,
            tokenize = "porter unicode61 remove_diacritics 2"
        );
        INSERT INTO search (search) VALUES ('rebuild');
        -- Merging the index's segments is part of a write now and then. With FTS5's own figures (4 and 16) it takes 25 ms
        -- of every hundredth message's write at 400,000 rows; with these, 1 ms.
        INSERT INTO search (search, rank) VALUES ('crisismerge', 32), ('automerge', 8);

        CREATE TRIGGER tickets_search_insert AFTER INSERT ON tickets BEGIN
            INSERT INTO search (rowid, text) VALUES (new.id << 32, new.subject || char(10) || new.description);
        END;
        CREATE TRIGGER tickets_search_update AFTER UPDATE OF subject, description ON tickets
            WHEN new.subject <> old.subject OR new.description <> old.description
        BEGIN
            INSERT INTO search (search, rowid, text)
                VALUES ('delete', old.id << 32, old.subject || char(10) || old.description);
            INSERT INTO search (rowid, text) VALUES (new.id << 32, new.subject || char(10) || new.description);
        END;
        CREATE TRIGGER tickets_search_delete AFTER DELETE ON tickets BEGIN
            INSERT INTO search (search, rowid, text)
                VALUES ('delete', old.id << 32, old.subject || char(10) || old.description);
        END;

        CREATE TRIGGER messages_search_insert AFTER INSERT ON messages WHEN new.content IS NOT NULL BEGIN
            INSERT INTO search (rowid, text)
                SELECT ticket_id << 32 | new.id, new.content FROM chats WHERE id = new.chat_id;
        END;
        CREATE TRIGGER messages_search_update AFTER UPDATE OF content ON messages WHEN new.content IS NOT old.content
        BEGIN
            INSERT INTO search (search, rowid, text)
                SELECT 'delete', ticket_id << 32 | old.id, old.content FROM chats
                WHERE id = old.chat_id AND old.content IS NOT NULL;
            INSERT INTO search (rowid, text)
                SELECT ticket_id << 32 | new.id, new.content FROM chats
                WHERE id = new.chat_id AND new.content IS NOT NULL;
        END;
        CREATE TRIGGER messages_search_delete AFTER DELETE ON messages WHEN old.content IS NOT NULL BEGIN
            INSERT INTO search (search, rowid, text)
                SELECT 'delete', ticket_id << 32 | old.id, old.content FROM chats WHERE id = old.chat_id;
        END;
        -- When messages go because their chat went, the trigger above finds no chat: they are taken out before.
        CREATE TRIGGER chats_search_delete BEFORE DELETE ON chats BEGIN
            INSERT INTO search (search, rowid, text)
                SELECT 'delete', old.ticket_id << 32 | id, content FROM messages
                WHERE chat_id = old.id AND content IS NOT NULL;
        END;

        -- One index for each order of a list, and one for each filter whose tickets are counted. Each has all columns
        -- that a list filters by, so that rows are read for the shown tickets only.
        DROP INDEX tickets_by_age;
        DROP INDEX tickets_by_owner;
        DROP INDEX tickets_by_assignee;
        CREATE INDEX tickets_by_creation ON tickets
            (created_at, id, status, priority, category, assignee_id, user_id);
        CREATE INDEX tickets_by_update ON tickets
            (updated_at, id, status, priority, category, assignee_id, user_id);
        CREATE INDEX tickets_by_priority ON tickets (priority, id, status, category, assignee_id, user_id);
        CREATE INDEX tickets_by_status ON tickets (status, id, priority, category, assignee_id, user_id);
        CREATE INDEX tickets_by_category ON tickets (category, status, priority, assignee_id, user_id);
        CREATE INDEX tickets_by_assignee ON tickets (assignee_id, status, priority, category, user_id);
        CREATE INDEX tickets_by_owner ON tickets
            (user_id, created_at, id, status, priority, category, assignee_id, updated_at);

        -- With the sender, a list counts messages without reading any.
        DROP INDEX messages_by_chat;
        CREATE INDEX messages_by_chat ON messages (chat_id, id, sender_id);
        CREATE INDEX chats_by_customer ON chats (customer_id);

        -- A read mark lies in its own chat, and a message's file in the message's own ticket.
        CREATE TRIGGER read_marks_insert BEFORE INSERT ON read_marks
            WHEN NOT EXISTS (SELECT 1 FROM messages WHERE id = new.message_id AND chat_id = new.chat_id)
        BEGIN
            SELECT RAISE(ABORT, 'a read mark is at a message of its chat');
        END;
        CREATE TRIGGER read_marks_update BEFORE UPDATE ON read_marks
            WHEN NOT EXISTS (SELECT 1 FROM messages WHERE id = new.message_id AND chat_id = new.chat_id)
        BEGIN
            SELECT RAISE(ABORT, 'a read mark is at a message of its chat');
        END;
        CREATE TRIGGER attachments_insert BEFORE INSERT ON attachments
            WHEN new.message_id IS NOT NULL AND NOT EXISTS (
                SELECT 1 FROM messages m JOIN chats c ON c.id = m.chat_id
                WHERE m.id = new.message_id AND c.ticket_id = new.ticket_id)
        BEGIN
            SELECT RAISE(ABORT, 'an attachment belongs to a message of its ticket');
        END;
        """
}
