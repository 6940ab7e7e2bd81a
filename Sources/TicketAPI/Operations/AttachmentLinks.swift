// Whichever module is loaded first owns the members of C's `stat`: in a build of the whole module, that is NIO's.
internal import CNIOLinux
internal import FoundationEssentials
internal import Glibc

/// Holds on to attachments while a backup is made: hard links to their files, in a directory beside them.
///
/// A ticket that is deleted meanwhile takes its files away, and the state that is being copied still has them. Files
/// never change and their names are never used twice, so a link is as good as the file.
final class AttachmentLinks {
    private let source: String
    private let path: String
    /// The kernel's lock goes with the process: what an earlier one left behind is nobody's.
    private let lock: CInt

    /// Throws when another backup of this data directory is being made.
    convenience init(dataDirectory: String) throws {
        guard let lock = try Self.takeLock(Self.path(in: dataDirectory)) else {
            throw StoreFailure("Another backup of this data directory is being made.")
        }
        try self.init(dataDirectory: dataDirectory, lock: lock)
    }

    private init(dataDirectory: String, lock: CInt) throws {
        self.source = "\(dataDirectory)/attachments"
        self.path = Self.path(in: dataDirectory)
        self.lock = lock
        for name in try FileManager.default.contentsOfDirectory(atPath: self.path) { unlink("\(self.path)/\(name)") }
    }

    deinit {
        // What cannot be removed now is removed by the next backup.
        try? FileManager.default.removeItem(atPath: self.path)
        close(self.lock)
    }

    /// Removes what a backup left that was killed. One that is being made keeps its own.
    static func removeAbandoned(dataDirectory: String) throws {
        let path = self.path(in: dataDirectory)
        guard FileManager.default.fileExists(atPath: path), let lock = try self.takeLock(path) else { return }
        _ = try AttachmentLinks(dataDirectory: dataDirectory, lock: lock)
    }

    /// Holds on to these files; gives back one that is gone already.
    func hold(_ files: [String]) throws -> String? {
        for file in files where link("\(self.source)/\(file)", "\(self.path)/\(file)") != 0 {
            switch errno {
            case EEXIST: continue
            case ENOENT: return file
            default: throw StoreFailure("\(self.path) cannot be written: \(SystemError.last).")
            }
        }
        return nil
    }

    /// The bytes of a file that is held.
    func bytes(of file: String) throws -> Data {
        try Data(contentsOf: URL(filePath: "\(self.path)/\(file)"))
    }

    private static func path(in dataDirectory: String) -> String { "\(dataDirectory)/backup.partial" }

    /// nil while somebody else has it.
    private static func takeLock(_ path: String) throws -> CInt? {
        guard mkdir(path, 0o700) == 0 || errno == EEXIST else {
            throw StoreFailure("\(path) cannot be made: \(SystemError.last).")
        }
        let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw StoreFailure("\(path) cannot be read: \(SystemError.last).") }
        var status = stat()
        // One that has just ended may have removed the directory between its opening and its locking here.
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0, fstat(descriptor, &status) == 0, status.st_nlink > 0 else {
            close(descriptor)
            return nil
        }
        return descriptor
    }
}
