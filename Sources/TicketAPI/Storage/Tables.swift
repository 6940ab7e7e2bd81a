internal import GRDB

/// The tables, in the words of the domain, within one transaction or one consistent read.
///
/// Confined to the database's thread for as long as the closure runs that got it. Statements are prepared once per
/// connection, rows are read by position: the query interface costs twenty times as much.
final class Tables {
    let db: Database
    /// What this transaction wrote for the relay.
    var news = OutboxNews()

    init(db: Database) {
        self.db = db
    }

    func row<T>(_ sql: String, _ arguments: StatementArguments, _ make: (Row) -> T) throws -> T? {
        // A cursor's row is no copy, and is gone with the cursor.
        let cursor = try Row.fetchCursor(self.db.cachedStatement(sql: sql), arguments: arguments)
        return try withExtendedLifetime(cursor) { try cursor.next().map(make) }
    }

    func rows<T>(_ sql: String, _ arguments: StatementArguments, _ make: (Row) -> T) throws -> [T] {
        var values: [T] = []
        let cursor = try Row.fetchCursor(self.db.cachedStatement(sql: sql), arguments: arguments)
        while let row = try cursor.next() { values.append(make(row)) }
        return values
    }

    func run(_ sql: String, _ arguments: StatementArguments) throws {
        try self.db.cachedStatement(sql: sql).execute(arguments: arguments)
    }

    /// Runs an `INSERT` and returns the new row's id.
    func insert(_ sql: String, _ arguments: StatementArguments) throws -> Int64 {
        try self.run(sql, arguments)
        return self.db.lastInsertedRowID
    }
}

extension Participant {
    /// From columns `offset`, `offset + 1`, `offset + 2`: id, name, role.
    init(row: Row, at offset: Int) {
        self.init(id: row[offset], name: row[offset + 1], role: Role(column: row[offset + 2]))
    }
}

extension Role {
    /// The schema allows no other words.
    init(column: String) {
        self = Role(rawValue: column) ?? .customer
    }
}
