internal import FoundationEssentials
internal import Glibc

/// Bringing to the disk what SQLite does not.
enum Files {
    /// What was written to the file, or to the list of names that a directory is.
    static func synchronize(_ path: String) throws {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        defer { close(descriptor) }
        guard descriptor >= 0, fsync(descriptor) == 0 else {
            throw StoreFailure("\(path) cannot be brought to the disk: \(SystemError.last).")
        }
    }

    static func synchronizeParent(of path: String) throws {
        let parent = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
        try self.synchronize(parent.isEmpty ? "/" : parent)
    }

    /// Writes a new file that its owner alone may read.
    static func create(_ path: String, _ bytes: Data) throws {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw StoreFailure("\(path) cannot be written: \(SystemError.last).") }
        defer { close(descriptor) }
        var rest = bytes[...]
        while !rest.isEmpty {
            let written = rest.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
            guard written > 0 || errno == EINTR else {
                throw StoreFailure("\(path) cannot be written: \(SystemError.last).")
            }
            rest = rest.dropFirst(max(0, written))
        }
        guard fsync(descriptor) == 0 else { throw StoreFailure("\(path) cannot be written: \(SystemError.last).") }
    }

    static func rename(_ path: String, to target: String) throws {
        guard Glibc.rename(path, target) == 0 else {
            throw StoreFailure("\(path) cannot be moved to \(target): \(SystemError.last).")
        }
    }
}
