internal import GRDB
internal import GRDBSQLite

/// Two functions for SQL: `ticket_set(id)` gathers ids, `in_ticket_set(set, id)` looks for one.
///
/// They are called for every row that a search looks at, up to some hundred thousand times. GRDB's functions box each
/// argument and cost ten times as much, so these are SQLite's own.
enum TicketSetFunctions {
    static func add(to db: Database) throws {
        guard let connection = db.sqliteConnection else { return }
        let flags = SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_DIRECTONLY
        try self.check(
            sqlite3_create_function_v2(
                connection, "ticket_set", 1, flags, nil, nil, self.gather, self.finishGathering, nil))
        try self.check(
            sqlite3_create_function_v2(
                connection, "in_ticket_set", 2, flags, nil, self.look, nil, nil, nil))
    }

    private static func check(_ code: CInt) throws {
        guard code == SQLITE_OK else { throw DatabaseError(resultCode: ResultCode(rawValue: code)) }
    }

    /// What a query has gathered so far: bytes of a `TicketSet` in SQLite's memory, which is zeroed at first.
    private struct Gathered {
        var bytes: UnsafeMutablePointer<UInt8>?
        var count: Int
    }

    private typealias Arguments = UnsafeMutablePointer<OpaquePointer?>?

    private static let gather: @convention(c) (OpaquePointer?, CInt, Arguments) -> Void = { context, _, arguments in
        guard let arguments, let gathered = gathered(context, size: CInt(MemoryLayout<Gathered>.size)) else { return }
        let id = sqlite3_value_int64(arguments[0])
        // Ids that no ticket gets within the life of a database would fill the memory.
        guard id > 0, id <= Int64(Int32.max) else { return }
        let index = Int(id >> 3)
        if index >= gathered.pointee.count {
            guard grow(gathered, toHold: index) else {
                sqlite3_result_error_nomem(context)
                return
            }
        }
        gathered.pointee.bytes?[index] |= 1 << UInt8(truncatingIfNeeded: id & 7)
    }

    /// Rows come in the order of their ids, so it grows in large steps.
    private static func grow(_ gathered: UnsafeMutablePointer<Gathered>, toHold index: Int) -> Bool {
        let (old, new) = (gathered.pointee.count, max(1024, 2 * (index + 1)))
        guard let bytes = sqlite3_realloc64(gathered.pointee.bytes, UInt64(new)) else { return false }
        (bytes + old).initializeMemory(as: UInt8.self, repeating: 0, count: new - old)
        gathered.pointee = Gathered(bytes: bytes.assumingMemoryBound(to: UInt8.self), count: new)
        return true
    }

    /// SQLite calls it once for every query, for one that failed too, and frees the bytes with their value.
    private static let finishGathering: @convention(c) (OpaquePointer?) -> Void = { context in
        // Without a row there is no place, and size 0 makes none.
        guard let gathered = gathered(context, size: 0), let bytes = gathered.pointee.bytes else {
            sqlite3_result_zeroblob(context, 0)
            return
        }
        sqlite3_result_blob64(context, bytes, UInt64(gathered.pointee.count), sqlite3_free)
    }

    private static func gathered(_ context: OpaquePointer?, size: CInt) -> UnsafeMutablePointer<Gathered>? {
        sqlite3_aggregate_context(context, size)?.assumingMemoryBound(to: Gathered.self)
    }

    private static let look: @convention(c) (OpaquePointer?, CInt, Arguments) -> Void = { context, _, arguments in
        guard let arguments else { return }
        let bytes = UnsafeRawBufferPointer(
            start: sqlite3_value_blob(arguments[0]), count: Int(sqlite3_value_bytes(arguments[0])))
        sqlite3_result_int(context, TicketSet.contains(sqlite3_value_int64(arguments[1]), in: bytes) ? 1 : 0)
    }
}
