internal import GRDB

/// The schema, as registered migrations. They run forward, each in a transaction of its own. A migration that was ever
/// released is never edited.
///
/// Moments are microseconds since 1970. Identifiers are never used twice (AUTOINCREMENT): clients keep them.
enum Migrations {
    static var all: DatabaseMigrator {
        var migrator = DatabaseMigrator()
        for (name, sql) in Self.list {
            migrator.registerMigration(name) { db in try db.execute(sql: sql) }
        }
        return migrator
    }

    private static let list = [
        ("1: accounts, tickets, chats, outbox", Self.accountsTicketsChatsOutbox),
        ("2: sessions and live connections", Self.sessionsAndLiveConnections),
        ("3: comments, activity, read marks", Self.commentsActivityReadMarks),
        ("4: attachments", Self.attachments),
        ("5: search and list indexes", Self.searchAndListIndexes),
        ("6: search of accounts, figures", Self.accountsSearchAndFigures),
        ("7: tallies", Self.tallies),
        ("8: age of the outbox", Self.ageOfTheOutbox),
    ]
}
