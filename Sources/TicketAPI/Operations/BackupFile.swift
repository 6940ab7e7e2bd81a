internal import Digests
internal import FoundationEssentials
internal import GRDB

/// A backup: the database, two tables more, and a seal (decision 17).
///
/// `backup` has one row that says of which format it is, when it was made and by what, and holds the file of generated
/// credentials if there is one. `attachment_files` holds the bytes of every attachment.
struct BackupFile {
    /// Stands in SQLite's header as `application_id`: "SWBK". A server that finds a backup in its database's place
    /// refuses it.
    static let applicationID: Int32 = 0x5357_424B
    static let format: Int64 = 1
    static let tables = """
        CREATE TABLE backup (
            format INTEGER NOT NULL,
            created_at INTEGER NOT NULL,
            made_by TEXT NOT NULL,
            credentials BLOB
        ) STRICT;
        CREATE TABLE attachment_files (file TEXT PRIMARY KEY, bytes BLOB NOT NULL) STRICT;
        """

    let path: String

    /// Opens the backup and looks at all of it. Throws `StoreFailure` when it is none, or not in order. Changes nothing.
    func verify(_ report: @escaping ProgressReport) throws -> BackupSummary {
        try self.recognise()
        let length = try BackupSeal(path: self.path).verify { fraction in
            report(OperationProgress(activity: "Reading the backup", fraction: fraction))
        }
        do {
            return try self.read { db in try self.check(db, size: Int64(length), report) }
        } catch let error as DatabaseError {
            throw StoreFailure(
                "\(self.path) is damaged: \(error.message ?? "SQLite error \(error.resultCode.rawValue)").")
        }
    }

    /// Opens it for reading only.
    func read<T>(_ body: (Database) throws -> T) throws -> T {
        var configuration = Configuration()
        configuration.readonly = true
        let queue = try DatabaseQueue(path: self.path, configuration: configuration)
        defer { try? queue.close() }  // Nothing was written.
        return try queue.read(body)
    }

    private func recognise() throws {
        switch try DatabaseFile(path: self.path).applicationID() {
        case Self.applicationID: break
        case DatabaseFile.applicationID:
            throw StoreFailure("\(self.path) is a data directory's database, not a backup of one.")
        case .some, nil: throw StoreFailure("\(self.path) is not a backup.")
        }
    }

    private func check(_ db: Database, size: Int64, _ report: ProgressReport) throws -> BackupSummary {
        guard let row = try Row.fetchOne(db, sql: "SELECT format, created_at, credentials IS NOT NULL FROM backup"),
            row[0] == Self.format, try !Migrations.all.hasBeenSuperseded(db)
        else { throw StoreFailure("\(self.path) was made by a newer version of this program.") }
        report(OperationProgress(activity: "Checking the database", fraction: 0))
        let findings = try String.fetchAll(db, sql: "PRAGMA integrity_check(1)")
        guard findings == ["ok"] else {
            throw StoreFailure("The database in \(self.path) is damaged: \(findings.first ?? "no result").")
        }
        guard try Row.fetchOne(db, sql: "PRAGMA foreign_key_check") == nil else {
            throw StoreFailure("The database in \(self.path) is damaged: rows refer to others that are not there.")
        }
        return BackupSummary(
            createdAt: Timestamp(microseconds: row[1]), users: try self.count("users", db),
            tickets: try self.count("tickets", db), messages: try self.count("messages", db),
            attachments: try self.checkAttachments(db, report), hasCredentials: row[2], size: size)
    }

    private func count(_ table: String, _ db: Database) throws -> Int64 {
        try Int64.fetchOne(db, sql: "SELECT count(*) FROM \(table)") ?? 0
    }

    /// Every attachment has its bytes, and they are those that were uploaded. Gives back how many there are.
    private func checkAttachments(_ db: Database, _ report: ProgressReport) throws -> Int64 {
        guard try db.tableExists("attachments") else { return 0 }
        let total = try self.count("attachments", db)
        let rows = try Row.fetchCursor(
            db,
            sql: """
                SELECT a.id, a.size, a.sha256, f.bytes
                FROM attachments a LEFT JOIN attachment_files f ON f.file = a.file
                """)
        var done: Int64 = 0
        while let row = try rows.next() {
            let bytes = [UInt8](row[3] as Data? ?? Data())
            guard Int64(bytes.count) == row[1], Array(SHA256.digest(bytes)) == [UInt8](row[2] as Data) else {
                throw StoreFailure("\(self.path) is damaged: attachment \(row[0] as Int64) is not what was uploaded.")
            }
            done += 1
            report(OperationProgress(activity: "Checking attachments", fraction: Double(done) / Double(total)))
        }
        return total
    }
}
