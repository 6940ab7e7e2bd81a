internal import FoundationEssentials
internal import GRDB
internal import NIOPosix

/// Removes a person: a request for erasure of personal data.
package enum Erasure {
    /// Deletes the account, its tickets and all that belongs to them, in one transaction. Files and traces are left to
    /// `clean`.
    ///
    /// Throws an error whose description is one line for the operator; then nothing was changed.
    package static func erase(dataDirectory: String, email: String) async throws -> ErasedAccount {
        try await TicketStore.withExistingTables(dataDirectory: dataDirectory) { tables in
            try tables.erase(tables.account(email), now: .now())
        }
    }

    /// Removes the files of erased tickets, and every trace in unused parts of the database's file, which is written
    /// anew. Reading goes on meanwhile, writing waits. False when somebody who reads and does not end (a long backup)
    /// keeps the write-ahead log from being emptied.
    package static func clean(_ account: ErasedAccount, dataDirectory: String) async throws -> Bool {
        try await NIOThreadPool.singleton.runIfActive {
            do {
                try self.removeFiles(account.files, dataDirectory)
                try AttachmentLinks.removeAbandoned(dataDirectory: dataDirectory)
                return try self.rewriteDatabase(dataDirectory)
            } catch let error as DatabaseError {
                throw StoreFailure(error, DatabaseFile(dataDirectory: dataDirectory))
            }
        }
    }

    /// Directories that restores made and that may still have what was erased.
    package static func otherCopies(dataDirectory: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: dataDirectory)
            .filter { $0.hasPrefix(PendingRestore.asidePrefix) || $0 == Restore.stageName }.sorted()
            .map { "\(dataDirectory)/\($0)" }
    }

    /// Removes them although a running server would: nobody can know when. A file that is gone is no error to either.
    private static func removeFiles(_ files: [String], _ dataDirectory: String) throws {
        for file in files {
            let path = "\(dataDirectory)/attachments/\(file)"
            if FileManager.default.fileExists(atPath: path) { try FileManager.default.removeItem(atPath: path) }
        }
        try TicketStore.withTables(dataDirectory: dataDirectory) { try $0.forgetDiscardedFiles(files) }
    }

    private static func rewriteDatabase(_ dataDirectory: String) throws -> Bool {
        try TicketStore.withConnection(dataDirectory: dataDirectory) { db in
            // An index of words keeps those of deleted texts until its parts are merged.
            let indexes = try String.fetchAll(
                db, sql: "SELECT name FROM sqlite_schema WHERE sql LIKE 'CREATE VIRTUAL TABLE % USING fts5%'")
            for index in indexes { try db.execute(sql: "INSERT INTO \(index) (\(index)) VALUES ('optimize')") }
            try db.execute(sql: "VACUUM")
            return try Int.fetchOne(db, sql: "PRAGMA wal_checkpoint(TRUNCATE)") == 0
        }
    }
}
