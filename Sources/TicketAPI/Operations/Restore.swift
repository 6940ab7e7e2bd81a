internal import FoundationEssentials
internal import GRDB
internal import Glibc
internal import NIOPosix

/// Puts the state of a backup into a data directory.
package enum Restore {
    /// Verifies the backup, makes the state it holds and puts that into place, all of it or nothing. With `replacing`,
    /// what is there is kept aside, and where is given back; without, it is refused.
    ///
    /// Events that had not been published when the backup was made are dropped: most of them were published right after,
    /// and the others are no news any more. Clients read what they missed. Live connections belong to another time too.
    ///
    /// Throws an error whose description is one line for the operator.
    package static func run(
        file: String, dataDirectory: String, replacing: Bool, progress: @escaping ProgressReport
    ) async throws -> (summary: BackupSummary, aside: String?) {
        try await NIOThreadPool.singleton.runIfActive {
            let backup = BackupFile(path: file)
            let summary = try backup.verify(progress)
            let lock = try InstanceLock(dataDirectory: dataDirectory)
            defer { withExtendedLifetime(lock) {} }
            if !replacing { try self.refuseOccupied(dataDirectory, summary) }
            let stage = "\(dataDirectory)/\(self.stageName)"
            do {
                try self.build(stage, from: backup, summary, progress)
            } catch let error as DatabaseError {
                throw StoreFailure("The backup cannot be restored: \(error.message ?? "\(error.resultCode)").")
            }
            let pending = try PendingRestore.decide(stage: stage, dataDirectory: dataDirectory, now: .now())
            try pending.finish()
            return (summary, FileManager.default.fileExists(atPath: pending.aside) ? pending.aside : nil)
        }
    }

    /// Where the state is made. One that an interrupted restore left is removed by the next.
    static let stageName = "restore.partial"

    private static func refuseOccupied(_ dataDirectory: String, _ summary: BackupSummary) throws {
        let names = ["tickets.sqlite", "attachments"] + (summary.hasCredentials ? ["credentials.json"] : [])
        for name in names where FileManager.default.fileExists(atPath: "\(dataDirectory)/\(name)") {
            throw OperatorRefusal.refused("\(dataDirectory) has data already (\(name)).")
        }
    }

    /// Makes `tickets.sqlite`, `attachments/` and perhaps `credentials.json` in `stage`.
    private static func build(
        _ stage: String, from backup: BackupFile, _ summary: BackupSummary, _ progress: ProgressReport
    ) throws {
        try? FileManager.default.removeItem(atPath: stage)  // There is one only after an interruption.
        for path in [stage, "\(stage)/attachments"] where mkdir(path, 0o700) != 0 {
            throw StoreFailure("\(path) cannot be made: \(SystemError.last).")
        }
        try backup.read { db in
            if let credentials = try Data.fetchOne(db, sql: "SELECT credentials FROM backup") {
                try Files.create("\(stage)/credentials.json", credentials)
            }
            let rows = try Row.fetchCursor(db, sql: "SELECT file, bytes FROM attachment_files")
            var done: Int64 = 0
            while let row = try rows.next() {
                try Files.create("\(stage)/attachments/\(try self.checkedName(row[0]))", row[1])
                done += 1
                progress(
                    OperationProgress(
                        activity: "Restoring attachments", fraction: Double(done) / Double(max(1, summary.attachments)))
                )
            }
        }
        try Files.synchronize("\(stage)/attachments")
        progress(OperationProgress(activity: "Restoring the database", fraction: 0))
        try self.buildDatabase("\(stage)/tickets.sqlite", from: backup)
    }

    /// What is in a file that somebody handed over does not choose where on this machine is written.
    private static func checkedName(_ name: String) throws -> String {
        guard name.utf8.count == 32, name.utf8.allSatisfy({ $0 != UInt8(ascii: "/") && $0 != 0 }) else {
            throw StoreFailure("The backup is damaged: it has an attachment with an impossible name.")
        }
        return name
    }

    private static func buildDatabase(_ path: String, from backup: BackupFile) throws {
        try Files.copy(backup.path, to: path)
        let database = try DatabaseQueue(path: path)
        try database.writeWithoutTransaction { db in
            // A crash leaves a stage, which is thrown away.
            try db.execute(sql: "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF")
            for table in ["outbox", "terminations", "live_sockets", "discarded_files"] where try db.tableExists(table) {
                try db.execute(sql: "DELETE FROM \(table)")
            }
            try db.execute(sql: "DROP TABLE backup; DROP TABLE attachment_files")
            try db.execute(sql: "PRAGMA application_id = \(DatabaseFile.applicationID); VACUUM")
        }
        try database.close()
        try Files.synchronize(path)
    }
}
