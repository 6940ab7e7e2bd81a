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

    /// What `ticket_set` has gathered. SQLite keeps a reference for as long as the query runs.
    private final class Gathered {
        var set = TicketSet()
    }

    private typealias Arguments = UnsafeMutablePointer<OpaquePointer?>?

    private static let gather: @convention(c) (OpaquePointer?, CInt, Arguments) -> Void = { context, _, arguments in
        guard let place = place(context, size: CInt(MemoryLayout<UnsafeRawPointer?>.size)), let arguments else {
            sqlite3_result_error_nomem(context)
            return
        }
        let gathered: Gathered
        if let pointer = place.pointee {
            gathered = Unmanaged<Gathered>.fromOpaque(pointer).takeUnretainedValue()
        } else {
            gathered = Gathered()
            place.pointee = UnsafeRawPointer(Unmanaged.passRetained(gathered).toOpaque())
        }
        gathered.set.insert(sqlite3_value_int64(arguments[0]))
    }

    /// SQLite calls it once for every query that began to gather, one that failed included.
    private static let finishGathering: @convention(c) (OpaquePointer?) -> Void = { context in
        // No row, no set: size 0 allocates nothing.
        guard let pointer = place(context, size: 0)?.pointee else {
            sqlite3_result_zeroblob(context, 0)
            return
        }
        let gathered = Unmanaged<Gathered>.fromOpaque(pointer).takeRetainedValue()
        gathered.set.bytes.withUnsafeBytes { bytes in
            // SQLITE_TRANSIENT: copied by SQLite.
            let transient = unsafeBitCast(-1, to: sqlite3_destructor_type.self)
            sqlite3_result_blob64(context, bytes.baseAddress, UInt64(bytes.count), transient)
        }
    }

    /// Where the query keeps its reference; nil at first.
    private static func place(_ context: OpaquePointer?, size: CInt) -> UnsafeMutablePointer<UnsafeRawPointer?>? {
        sqlite3_aggregate_context(context, size)?.assumingMemoryBound(to: UnsafeRawPointer?.self)
    }

    private static let look: @convention(c) (OpaquePointer?, CInt, Arguments) -> Void = { context, _, arguments in
        guard let arguments else { return }
        let bytes = UnsafeRawBufferPointer(
            start: sqlite3_value_blob(arguments[0]), count: Int(sqlite3_value_bytes(arguments[0])))
        sqlite3_result_int(context, TicketSet.contains(sqlite3_value_int64(arguments[1]), in: bytes) ? 1 : 0)
    }
}
