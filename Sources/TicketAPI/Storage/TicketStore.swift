internal import GRDB
internal import NIOPosix

/// The database: one writer, several readers, in one file.
///
/// A write is a transaction, and when the call returns it is on the disk (`synchronous = FULL`): it survives the end of the
/// process and the machine's power loss. Writes that wait at the same time share one such wait (`WriteQueue`).
final class TicketStore: Sendable {
    /// Threads for reads that may take long, and one for those that do not.
    private static let maxReaders = 4

    private let pool: DatabasePool
    private let lookUps: ReadQueue
    private let reads: ReadQueue
    private let writes: WriteQueue
    let counts = StoreCounts()

    private init(pool: DatabasePool, onNews: @escaping @Sendable (OutboxNews) -> Void) {
        self.pool = pool
        self.lookUps = ReadQueue(pool: pool, readers: 1, readsPerTurn: 64)
        self.reads = ReadQueue(pool: pool, readers: Self.maxReaders, readsPerTurn: 1)
        self.writes = WriteQueue(pool: pool, counts: self.counts, onNews: onNews)
    }

    /// Opens the database in `dataDirectory`, makes it if there is none, and brings its schema up to date. Blocks.
    ///
    /// `onNews` hears, after each commit, of what it wrote for the relay; it is called on the writer's thread and must
    /// not block. Throws `StoreFailure`.
    static func open(
        dataDirectory: String, onNews: @escaping @Sendable (OutboxNews) -> Void = { _ in }
    ) throws -> TicketStore {
        let file = DatabaseFile(dataDirectory: dataDirectory)
        do {
            try file.prepare()
            var configuration = Configuration()
            configuration.maximumReaderCount = Self.maxReaders + 1
            // For the server, the longest wait is for `switchboard erase`, which writes the whole database anew.
            configuration.busyMode = .timeout(60)
            configuration.prepareDatabase { try TicketSetFunctions.add(to: $0) }
            let pool = try DatabasePool(path: file.path, configuration: configuration)
            // After the opening: with the write-ahead log, GRDB sets NORMAL, which loses commits with the power.
            try pool.writeWithoutTransaction { try $0.execute(sql: "PRAGMA synchronous = FULL") }
            let migrations = Migrations.all
            guard try pool.read({ try !migrations.hasBeenSuperseded($0) }) else {
                throw StoreFailure("\(file.path) was made by a newer version; nothing was changed.")
            }
            try migrations.migrate(pool)
            return TicketStore(pool: pool, onNews: onNews)
        } catch let error as DatabaseError {
            throw StoreFailure(error, file)
        }
    }

    /// Opens the database for one transaction and closes it again. Blocks. A server may be running.
    static func withTables<T>(dataDirectory: String, _ body: (Tables) throws -> T) throws -> T {
        let store = try self.open(dataDirectory: dataDirectory)
        do {
            let result = try store.pool.write { try body(Tables(db: $0)) }
            try store.close()
            return result
        } catch {
            try store.close()
            throw error
        }
    }

    /// The key of this installation's CSRF tokens. Blocks.
    func csrfKey() throws -> [UInt8] {
        guard let key = try self.pool.read({ try Tables(db: $0).key("csrf") }) else {
            throw StoreFailure("The database has lost its keys; restore it from a backup.")
        }
        return key
    }

    /// Opens the database for something that no transaction can do. Blocks. A server may be running.
    static func withConnection<T>(dataDirectory: String, _ body: (Database) throws -> T) throws -> T {
        let store = try self.open(dataDirectory: dataDirectory)
        do {
            let result = try store.pool.writeWithoutTransaction(body)
            try store.close()
            return result
        } catch {
            try store.close()
            throw error
        }
    }

    /// The same for a command that needs a database that is there.
    static func withExistingTables<T: Sendable>(
        dataDirectory: String, _ body: @escaping @Sendable (Tables) throws -> T
    ) async throws -> T {
        try await NIOThreadPool.singleton.runIfActive {
            try DatabaseFile(dataDirectory: dataDirectory).require()
            do {
                return try self.withTables(dataDirectory: dataDirectory, body)
            } catch let error as DatabaseError {
                throw StoreFailure(error, DatabaseFile(dataDirectory: dataDirectory))
            }
        }
    }

    /// Reads one consistent state: the last one committed before the call, or a later one.
    func read<T: Sendable>(_ body: @escaping @Sendable (Tables) throws -> T) async throws -> T {
        try await self.reads.perform(body)
    }

    /// As `read`, for what keys find at once: many callers share one thread's turn.
    func lookUp<T: Sendable>(_ body: @escaping @Sendable (Tables) throws -> T) async throws -> T {
        try await self.lookUps.perform(body)
    }

    /// Runs `body` as one transaction, all or nothing. Writes happen one after another, in the order of the calls.
    func write<T: Sendable>(_ body: @escaping @Sendable (Tables) throws -> T) async throws -> T {
        try await self.writes.perform(body)
    }

    /// Returns when the writer has committed a transaction in which nothing is written.
    func probe() async throws {
        try await self.writes.perform(isMeasured: false) { _ in }
    }

    /// Removes files that no attachment has: what a crash left. Blocks; nobody else may use the data directory.
    func removeLeftovers(of files: AttachmentFiles) throws {
        try self.pool.read { db in
            let tables = Tables(db: db)
            try files.removeLeftovers { try tables.hasFile($0) }
        }
    }

    /// A number that changes when another process has written, and at no write of our own.
    func version() async throws -> Int64 {
        // Of the connection that writes: to the others our own writes are those of another.
        try await self.pool.writeWithoutTransaction { db in
            try Int64.fetchOne(db, sql: "PRAGMA data_version") ?? 0
        }
    }

    /// Closes all connections. No call may be running or follow.
    func close() throws {
        // GRDB's last connection only reads and leaves the log where it is: moved into the file, so that the file alone is
        // the whole database. Another process that reads right now prevents it, and then the log stays beside it.
        _ = try? self.pool.writeWithoutTransaction { try $0.checkpoint(.truncate) }
        try self.pool.close()
        try self.lookUps.shutdown()
        try self.reads.shutdown()
        try self.writes.shutdown()
    }

    /// Whether an error says that the disk, or what one may have of it, is full.
    static func isDiskFull(_ error: any Error) -> Bool {
        (error as? DatabaseError)?.resultCode == .SQLITE_FULL
    }
}
