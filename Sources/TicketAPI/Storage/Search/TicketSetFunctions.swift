internal import GRDB
internal import GRDBSQLite

/// Two functions for SQL: `tickets_with_all(search)` gathers the tickets of a search, `in_ticket_set(set, id)` looks for
/// one in what was gathered.
///
/// They are at work for every row that a search looks at, up to some hundred thousand times. GRDB's functions box each
/// argument and cost ten times as much, and a row that goes through a query costs twice what FTS5 needs to find it. So
/// these are SQLite's and FTS5's own.
enum TicketSetFunctions {
    static func add(to db: Database) throws {
        guard let connection = db.sqliteConnection else { return }
        let flags = SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_DIRECTONLY
        try self.check(
            sqlite3_create_function_v2(
                connection, "in_ticket_set", 2, flags, nil, self.look, nil, nil, nil))
        guard let api = try self.fullTextAPI(connection) else {
            throw StoreFailure("This SQLite has no FTS5, which searching needs.")
        }
        try self.check(api.pointee.xCreateFunction(api, "tickets_with_all", nil, self.gather, nil))
    }

    private static func check(_ code: CInt) throws {
        guard code == SQLITE_OK else { throw DatabaseError(resultCode: ResultCode(rawValue: code)) }
    }

    /// As SQLite's documentation says ("Extending FTS5"): by a pointer that a query fills in.
    private static func fullTextAPI(_ connection: SQLiteConnection) throws -> UnsafeMutablePointer<fts5_api>? {
        var statement: OpaquePointer?
        try self.check(sqlite3_prepare_v2(connection, "SELECT fts5(?)", -1, &statement, nil))
        defer { sqlite3_finalize(statement) }
        var api: UnsafeMutablePointer<fts5_api>?
        // SQLite keeps the name's address.
        let type: StaticString = "fts5_api_ptr"
        let name = UnsafeRawPointer(type.utf8Start).assumingMemoryBound(to: CChar.self)
        try withUnsafeMutablePointer(to: &api) { place in
            try self.check(sqlite3_bind_pointer(statement, 1, place, name, nil))
            sqlite3_step(statement)
        }
        return api
    }

    private typealias Arguments = UnsafeMutablePointer<OpaquePointer?>?
    private typealias Extension = UnsafePointer<Fts5ExtensionApi>?

    /// Asked for one row of a search, whichever: tells of the whole search. In which tickets are all of its phrases, each
    /// in some row of the ticket? A row's number begins with the ticket's id.
    private static let gather: @convention(c) (Extension, OpaquePointer?, OpaquePointer?, CInt, Arguments) -> Void = {
        api, search, context, _, _ in
        guard let api = api?.pointee else { return }
        var found: TicketSet?
        for phrase in 0..<api.xPhraseCount(search) {
            var tickets = TicketSet()
            let code = withUnsafeMutablePointer(to: &tickets) { tickets in
                api.xQueryPhrase(search, phrase, tickets, TicketSetFunctions.note)
            }
            guard code == SQLITE_OK else { return sqlite3_result_error_code(context, code) }
            found = found?.intersection(tickets) ?? tickets
            if found?.isEmpty == true { break }
        }
        (found ?? TicketSet()).bytes.withUnsafeBytes { bytes in
            sqlite3_result_blob64(context, bytes.baseAddress, UInt64(bytes.count), TicketSetFunctions.copied)
        }
    }

    private static let note: @convention(c) (Extension, OpaquePointer?, UnsafeMutableRawPointer?) -> CInt = {
        api, row, tickets in
        guard let api, let tickets else { return SQLITE_MISUSE }
        tickets.assumingMemoryBound(to: TicketSet.self).pointee.insert(api.pointee.xRowid(row) >> 32)
        return SQLITE_OK
    }

    /// SQLite makes a copy (SQLITE_TRANSIENT, a macro that Swift does not import).
    private static let copied = unsafeBitCast(-1, to: sqlite3_destructor_type.self)

    private static let look: @convention(c) (OpaquePointer?, CInt, Arguments) -> Void = { context, _, arguments in
        guard let arguments else { return }
        let bytes = UnsafeRawBufferPointer(
            start: sqlite3_value_blob(arguments[0]), count: Int(sqlite3_value_bytes(arguments[0])))
        sqlite3_result_int(context, TicketSet.contains(sqlite3_value_int64(arguments[1]), in: bytes) ? 1 : 0)
    }
}
