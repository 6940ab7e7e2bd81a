internal import FoundationEssentials
internal import Glibc

/// A restored state that lies ready in the data directory, in `restoring-{moment}`, and has to be put into place.
///
/// From the moment at which that directory has its name the restore is decided; before, nothing has happened. Putting
/// into place is a matter of renames, each of which can be done once only, so that it is finished by whoever uses the
/// data directory next when it was interrupted. What was there goes to `before-restore-{moment}`.
package struct PendingRestore {
    private static let prefix = "restoring-"
    static let asidePrefix = "before-restore-"

    private let dataDirectory: String
    private let moment: String
    private var source: String { "\(self.dataDirectory)/\(Self.prefix)\(self.moment)" }
    /// Where the former state is kept, if there was one.
    var aside: String { "\(self.dataDirectory)/\(Self.asidePrefix)\(self.moment)" }

    /// Finishes what an earlier restore began and could not finish. Blocks. Throws when that restore is still at it.
    package static func finishInterrupted(dataDirectory: String) throws {
        guard try self.find(in: dataDirectory) != nil else { return }
        let lock = try InstanceLock(dataDirectory: dataDirectory)
        // It may have been finished before the lock was there.
        try self.find(in: dataDirectory)?.finish()
        withExtendedLifetime(lock) {}
    }

    /// Decides the restore: `stage`, a directory in the data directory, becomes the state that is put into place. The
    /// caller has the lock.
    static func decide(stage: String, dataDirectory: String, now: Timestamp) throws -> PendingRestore {
        let compact = now.iso8601.filter { $0 != "-" && $0 != ":" }
        let pending = PendingRestore(dataDirectory: dataDirectory, moment: String(compact))
        try Files.synchronize(stage)
        try Files.rename(stage, to: pending.source)
        try Files.synchronize(dataDirectory)
        return pending
    }

    /// Puts it into place. The caller has the lock.
    func finish() throws {
        let names = try FileManager.default.contentsOfDirectory(atPath: self.source)
        // The log belongs to the former database; with another one beside it, it would destroy it.
        let leaving = names.contains("tickets.sqlite") ? ["tickets.sqlite-wal", "tickets.sqlite-shm"] : []
        for name in leaving { try self.setAside(name) }
        for name in names.filter({ $0 != "tickets.sqlite" }).sorted() + names.filter({ $0 == "tickets.sqlite" }) {
            try self.setAside(name)
            try Files.rename("\(self.source)/\(name)", to: "\(self.dataDirectory)/\(name)")
        }
        try Files.synchronize(self.dataDirectory)
        try FileManager.default.removeItem(atPath: self.source)
        try Files.synchronize(self.dataDirectory)
    }

    private func setAside(_ name: String) throws {
        let path = "\(self.dataDirectory)/\(name)"
        guard FileManager.default.fileExists(atPath: path) else { return }
        guard mkdir(self.aside, 0o700) == 0 || errno == EEXIST else {
            throw StoreFailure("\(self.aside) cannot be made: \(SystemError.last).")
        }
        try Files.rename(path, to: "\(self.aside)/\(name)")
        try Files.synchronize(self.aside)
    }

    private static func find(in dataDirectory: String) throws -> PendingRestore? {
        guard FileManager.default.fileExists(atPath: dataDirectory) else { return nil }
        return try FileManager.default.contentsOfDirectory(atPath: dataDirectory)
            .first { $0.hasPrefix(self.prefix) }
            .map { PendingRestore(dataDirectory: dataDirectory, moment: String($0.dropFirst(self.prefix.count))) }
    }
}
