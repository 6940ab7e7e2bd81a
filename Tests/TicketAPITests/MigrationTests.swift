import Foundation
import GRDB
import Testing

@testable import TicketAPI

@Suite(.timeLimit(.minutes(3)))
struct MigrationTests {
    /// Rows for the tables of each version; a version has those of the earlier ones too.
    private static let rows = [
        """
        INSERT INTO users (id, name, email, email_key, role, password_hash, created_at) VALUES
            (1, 'Root', 'root@example.com', 'root@example.com', 'admin', 'x', 1),
            (5, 'Ada', 'Ada@example.com', 'ada@example.com', 'customer', 'x', 2);
        INSERT INTO tokens (id, user_id, name, secret_sha256, created_at) VALUES (3, 5, 'phone', zeroblob(32), 3);
        INSERT INTO tickets (id, user_id, assignee_id, subject, description, category, priority, status, created_at,
            updated_at) VALUES
            (1, 5, NULL, 'Printer', 'It jams in the café', 0, 1, 2, 10, 20), (4, 5, 1, 'Scanner', 'dark', 1, 2, 3, 11, 21),
            (9, 5, NULL, 'Gone', 'gone', 1, 2, 3, 11, 21);
        INSERT INTO chats (id, ticket_id, customer_id, admin_id) VALUES (2, 4, 5, 1), (3, 1, 5, NULL);
        INSERT INTO messages (id, chat_id, sender_id, receiver_id, content, created_at) VALUES
            (1, 2, 5, 1, 'Where is the toner?', 30), (2, 2, 1, 5, 'In the box', 31), (8, 2, 1, NULL, 'Gone', 32);
        DELETE FROM messages WHERE id = 8;
        DELETE FROM tickets WHERE id = 9;
        INSERT INTO idempotency_keys (user_id, ticket_id, key, content_sha256, answer, created_at)
            VALUES (5, 4, 'k', zeroblob(32), '{}', 40);
        INSERT INTO outbox (id, ticket_id, event, channels, data, socket_id)
            VALUES (7, 4, 'NewMessage', 'private-chat.4', '{}', '1.2');
        """,
        """
        INSERT INTO tokens (id, user_id, name, secret_sha256, created_at, kind, last_used_at)
            VALUES (4, 1, 'browser', zeroblob(32), 3, 'session', 5);
        INSERT INTO live_sockets (token_id, socket_id, created_at) VALUES (4, '1.2', 6);
        INSERT INTO terminations (id, after_event, sockets, channels, reconnects, user_id)
            VALUES (1, 0, '1.3', '', 0, 5);
        """,
        """
        INSERT INTO comments (id, ticket_id, user_id, content, internal, created_at) VALUES (2, 4, 1, 'note', 1, 50);
        INSERT INTO activity (id, ticket_id, user_id, type, internal, changes, created_at)
            VALUES (2, 4, 5, 'created', 0, '{}', 51);
        INSERT INTO read_marks (chat_id, user_id, message_id, others) VALUES (2, 5, 2, 0);
        """,
        """
        INSERT INTO messages (id, chat_id, sender_id, receiver_id, content, created_at) VALUES (10, 2, 5, 1, NULL, 33);
        INSERT INTO attachments (id, ticket_id, message_id, name, mime_type, size, sha256, file, created_at) VALUES
            (1, 4, 10, 'a.png', 'image/png', 5, zeroblob(32), '0123456789abcdef0123456789abcdef', 52);
        INSERT INTO discarded_files (file) VALUES ('x');
        """,
        "", "", "", "",
    ]

    @Test("OPS-5: a database of every earlier version becomes the newest with all that was in it", arguments: 1...8)
    func fromVersion(_ version: Int) async throws {
        let directory = try TicketHarness.temporaryDirectory()
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let names = Migrations.all.migrations
        #expect(names.count == Self.rows.count, "Rows for the newest version are missing.")
        let file = DatabaseFile(dataDirectory: directory)
        try file.prepare()
        let queue = try DatabaseQueue(path: file.path)
        for index in 0..<version {
            try Migrations.all.migrate(queue, upTo: names[index])
            try await queue.write { try $0.execute(sql: Self.rows[index]) }
        }
        let before = try await queue.read(Self.contents)
        for (table, rows) in before {
            #expect(!rows.isEmpty, "The table \(table) has no row that could be lost.")
        }
        try queue.close()

        let store = try TicketStore.open(dataDirectory: directory)
        let after = try await store.read { try Self.contents($0.db) }
        for (table, rows) in before {
            let migrated = try #require(after[table])
            #expect(rows.count == migrated.count)
            for (old, new) in zip(rows, migrated) {
                #expect(old.allSatisfy { new[$0.key] == $0.value }, "\(table): \(old) became \(new)")
            }
        }
        try await store.read { (tables: Tables) throws -> Void in
            #expect(try Row.fetchAll(tables.db, sql: "PRAGMA foreign_key_check").isEmpty)
            #expect(try String.fetchAll(tables.db, sql: "PRAGMA integrity_check") == ["ok"])
            #expect(try tables.ticketsFound("jam cafe").ids == [1])
            #expect(try tables.ticketsFound("scanner toner box").ids == [4])
            #expect(try tables.ticketsFound("gone").isEmpty)
        }
        try await store.write { (tables: Tables) throws -> Void in
            try tables.db.execute(sql: "INSERT INTO search (search, rank) VALUES ('integrity-check', 1)")
            let ticket = try #require(try tables.ticket(4))
            let chat = try tables.openChat(of: ticket)
            // An id is never used again, that of a deleted message neither.
            let message = try tables.insertMessage("new", in: chat, from: ticket.owner, now: .now())
            #expect(message.id > (version < 4 ? 8 : 10))
            try tables.deleteTicket(4)
            #expect(try tables.ticketsFound("new").isEmpty)
            #expect(try Row.fetchAll(tables.db, sql: "PRAGMA foreign_key_check").isEmpty)
        }
        try store.close()
    }

    /// All rows of all tables, in the order of their keys. FTS5's own tables are no table of ours.
    private static func contents(_ db: Database) throws -> [String: [[String: DatabaseValue]]] {
        let tables = try String.fetchAll(
            db,
            sql: """
                SELECT name FROM sqlite_master
                WHERE type = 'table' AND name NOT GLOB '*search' AND name NOT GLOB '*search_*' AND name NOT GLOB 'grdb_*'
                """)
        var contents: [String: [[String: DatabaseValue]]] = [:]
        for table in tables {
            let columns = table == "sqlite_sequence" ? ["name"] : try db.primaryKey(table).columns
            let key = columns.joined(separator: ", ")
            contents[table] = try Row.fetchAll(db, sql: "SELECT * FROM \(table) ORDER BY \(key)").map { row in
                Dictionary(row.map { ($0.0, $0.1) }) { first, _ in first }
            }
        }
        return contents
    }

    @Test(
        "OPS-6: the database itself refuses what contradicts it: a read mark of another chat, a file of another ticket"
    )
    func constraints() async throws {
        let directory = try TicketHarness.temporaryDirectory()
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let store = try TicketStore.open(dataDirectory: directory)
        try await store.write { (tables: Tables) throws -> Void in
            for rows in Self.rows { try tables.db.execute(sql: rows) }
            for (statement, because) in [
                ("INSERT INTO read_marks (chat_id, user_id, message_id, others) VALUES (3, 5, 2, 0)", "read mark"),
                ("UPDATE read_marks SET chat_id = 3", "read mark"),
                ("UPDATE read_marks SET message_id = 99", "read mark"),
                (
                    """
                    INSERT INTO attachments (ticket_id, message_id, name, mime_type, size, sha256, file, created_at) VALUES
                        (1, 10, 'a', 'image/png', 5, zeroblob(32), '1123456789abcdef0123456789abcdef', 52)
                    """, "message of its ticket"
                ),
                ("UPDATE tickets SET subject = ''", "CHECK"), ("UPDATE tickets SET status = 4", "CHECK"),
                ("UPDATE tickets SET user_id = 99", "FOREIGN KEY"), ("DELETE FROM users WHERE id = 5", "FOREIGN KEY"),
                ("UPDATE messages SET content = ''", "CHECK"), ("UPDATE users SET role = 'owner'", "CHECK"),
                ("UPDATE users SET email_key = 'same'", "UNIQUE"), ("UPDATE tickets SET subject = NULL", "NOT NULL"),
                ("UPDATE tickets SET created_at = 'now'", "INTEGER"),
            ] {
                #expect {
                    try tables.db.execute(sql: statement)
                } throws: {
                    "\($0)".contains(because)
                }
            }
        }
        try store.close()
    }
}
