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

    /// Copies what is in a file, be it behind a symbolic link, into a new file that its owner alone may read.
    static func copy(_ path: String, to target: String) throws {
        let source = open(path, O_RDONLY | O_CLOEXEC)
        guard source >= 0 else { throw StoreFailure("\(path) cannot be read: \(SystemError.last).") }
        defer { close(source) }
        let copy = open(target, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard copy >= 0 else { throw StoreFailure("\(target) cannot be written: \(SystemError.last).") }
        defer { close(copy) }
        while true {
            let count = sendfile(copy, source, nil, 1 << 30)
            if count == 0 { return }
            guard count > 0 || errno == EINTR else {
                throw StoreFailure("\(target) cannot be written: \(SystemError.last).")
            }
        }
    }

    static func rename(_ path: String, to target: String) throws {
        guard Glibc.rename(path, target) == 0 else {
            throw StoreFailure("\(path) cannot be moved to \(target): \(SystemError.last).")
        }
    }
}
