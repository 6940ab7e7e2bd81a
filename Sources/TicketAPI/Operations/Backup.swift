internal import Digests
internal import FoundationEssentials
internal import GRDB
internal import Glibc
internal import NIOPosix

/// Makes backups (decision 17). A server may be running, and keeps its pace: the copy is made by a reader.
package enum Backup {
    /// Writes the database, all attachments and the generated credentials to `file`, one consistent state of them, and
    /// verifies what was written. `file` is there when it is whole and in order, and not before.
    ///
    /// Throws an error whose description is one line for the operator.
    package static func make(
        dataDirectory: String, file: String, overwriting: Bool, madeBy program: String,
        progress: @escaping ProgressReport
    ) async throws -> BackupSummary {
        try await NIOThreadPool.singleton.runIfActive {
            try DatabaseFile(dataDirectory: dataDirectory).require()
            guard overwriting || !FileManager.default.fileExists(atPath: file) else { throw Self.exists(file) }
            let draft = "\(file).partial-\(Hex.encode(try RandomBytes.make(6)))"
            defer { unlink(draft) }
            do {
                try self.write(draft, dataDirectory: dataDirectory, program: program, progress)
            } catch let error as DatabaseError {
                throw StoreFailure("The backup cannot be written: \(error.message ?? "\(error.resultCode)").")
            }
            try BackupSeal(path: draft).close { fraction in
                progress(OperationProgress(activity: "Sealing", fraction: fraction))
            }
            let summary = try BackupFile(path: draft).verify(progress)
            try self.place(draft, file, overwriting: overwriting)
            return summary
        }
    }

    private static func exists(_ file: String) -> OperatorRefusal {
        .refused("\(file) exists already.")
    }

    /// Pages copied between two reports.
    private static let pagesPerStep: CInt = 4096
    /// How often the state is taken anew because an attachment in it was deleted before it could be held.
    private static let maxTries = 50

    private static func write(
        _ draft: String, dataDirectory: String, program: String, _ progress: @escaping ProgressReport
    ) throws {
        let links = try AttachmentLinks(dataDirectory: dataDirectory)
        var configuration = Configuration()
        configuration.busyMode = .timeout(5)
        let source = try DatabaseQueue(
            path: DatabaseFile(dataDirectory: dataDirectory).path, configuration: configuration)
        defer { try? source.close() }  // Nothing was written.
        let copy = try DatabaseQueue(path: draft)
        defer { try? copy.close() }  // Closed below; a failure is told by what failed before it.
        try copy.writeWithoutTransaction { db in
            // It has a name of its own until it is whole, and is brought to the disk once.
            try db.execute(sql: "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA foreign_keys = OFF")
            let files = try self.copyDatabase(source, to: db, holding: links, progress)
            try db.execute(sql: "PRAGMA journal_mode = DELETE")
            try db.execute(sql: "PRAGMA journal_mode = OFF; PRAGMA application_id = \(BackupFile.applicationID)")
            try db.execute(sql: BackupFile.tables)
            try db.execute(
                sql: "INSERT INTO backup (format, created_at, made_by, credentials) VALUES (?, ?, ?, ?)",
                arguments: [
                    BackupFile.format, Timestamp.now().microseconds, program, self.credentials(dataDirectory),
                ])
            try db.inTransaction {
                for (index, file) in files.enumerated() {
                    try db.cachedStatement(sql: "INSERT INTO attachment_files (file, bytes) VALUES (?, ?)")
                        .execute(arguments: [file, links.bytes(of: file)])
                    progress(
                        OperationProgress(
                            activity: "Copying attachments", fraction: Double(index + 1) / Double(files.count)))
                }
                return .commit
            }
        }
        try copy.close()
    }

    /// Copies one state of the database and gives back its attachments' files, all of which are held.
    ///
    /// It is read in one transaction. The server's writes go on beside it, into the write-ahead log, which cannot be
    /// emptied meanwhile: it grows by what is written for as long as the pages are copied, and by nothing for the
    /// attachments, which are copied afterwards.
    private static func copyDatabase(
        _ source: DatabaseQueue, to copy: Database, holding links: AttachmentLinks,
        _ progress: @escaping ProgressReport
    ) throws -> [String] {
        var missing: String?
        for _ in 0..<self.maxTries {
            // The first query fixes the state; what has gone by the time it is held shows that a later state is due.
            let files = try source.read { db -> [String]? in
                let hasAttachments = try db.tableExists("attachments")
                let files = try hasAttachments ? String.fetchAll(db, sql: "SELECT file FROM attachments") : []
                missing = try links.hold(files)
                guard missing == nil else { return nil }
                try db.backup(to: copy, pagesPerStep: self.pagesPerStep) { step in
                    let fraction = Double(step.completedPageCount) / Double(max(1, step.totalPageCount))
                    progress(OperationProgress(activity: "Copying the database", fraction: fraction))
                }
                return files
            }
            if let files { return files }
        }
        throw StoreFailure("The file attachments/\(missing ?? "") is missing; no backup was made.")
    }

    private static func credentials(_ dataDirectory: String) throws -> Data? {
        let path = "\(dataDirectory)/credentials.json"
        guard FileManager.default.fileExists(atPath: path) else { return nil }
        return try Data(contentsOf: URL(filePath: path))
    }

    /// Gives the finished file its name, and does not take it from another unless that is wanted.
    private static func place(_ draft: String, _ file: String, overwriting: Bool) throws {
        if overwriting {
            try Files.rename(draft, to: file)
        } else {
            guard link(draft, file) == 0 else {
                throw errno == EEXIST
                    ? self.exists(file) as any Error : StoreFailure("\(file) cannot be written: \(SystemError.last).")
            }
        }
        try Files.synchronizeParent(of: file)
    }
}
