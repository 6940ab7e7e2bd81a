internal import Glibc

/// A directory with a file for each letter, `{id}.json`, written whole or not at all. Blocks: for the box's queue only.
struct LetterFolder: Sendable {
    struct Failure: Error, CustomStringConvertible {
        let what: String
        /// There is no such file, or no directory.
        var isAbsence = false

        var description: String { self.what }
    }

    struct Entry {
        let id: String
        let bytes: Int
    }

    let path: String

    /// The letters by name, which is by time. Removes drafts that a killed process left behind.
    func entries() throws -> [Entry] {
        guard let directory = opendir(self.path) else {
            let failure = Self.failure("open the directory")
            if failure.isAbsence { return [] }
            throw failure
        }
        defer { closedir(directory) }
        var entries: [Entry] = []
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            guard name.hasSuffix(".json") || name.hasSuffix(".draft") else { continue }
            var status = stat()
            guard lstat("\(self.path)/\(name)", &status) == 0, status.st_mode & S_IFMT == S_IFREG else { continue }
            if name.hasSuffix(".draft") {
                if status.st_mtim.tv_sec < time(nil) - 60 { unlink("\(self.path)/\(name)") }
                continue
            }
            let id = String(name.dropLast(5))
            if DeadLetterBox.isID(id) { entries.append(Entry(id: id, bytes: Int(status.st_size))) }
        }
        return entries.sorted { $0.id < $1.id }
    }

    func read(_ id: String, limit: Int) throws -> [UInt8] {
        let file = open(self.file(id), O_RDONLY | O_NOFOLLOW | O_CLOEXEC)
        guard file >= 0 else { throw Self.failure("open the file") }
        defer { close(file) }
        var status = stat()
        guard fstat(file, &status) == 0 else { throw Self.failure("read the file") }
        guard status.st_size <= limit else { throw Failure(what: "the file is too large") }
        var bytes = [UInt8](repeating: 0, count: Int(status.st_size))
        var done = 0
        while done < bytes.count {
            let count = bytes.withUnsafeMutableBytes {
                Glibc.read(file, $0.baseAddress?.advanced(by: done), $0.count - done)
            }
            guard count >= 0 || errno == EINTR else { throw Self.failure("read the file") }
            if count == 0 { break }
            done += max(0, count)
        }
        bytes.removeLast(bytes.count - done)
        return bytes
    }

    /// Writes a file of 0600. When it returns, the file and its name are on the disk; when it throws, an older file of
    /// this name is as it was.
    func write(_ bytes: [UInt8], as id: String) throws {
        guard mkdir(self.path, 0o700) == 0 || errno == EEXIST else { throw Self.failure("make the directory") }
        let draft = "\(self.path)/.\(id).draft"
        do {
            try Self.write(bytes, to: draft)
            guard rename(draft, self.file(id)) == 0 else { throw Self.failure("rename the file") }
        } catch {
            unlink(draft)
            throw error
        }
        let directory = open(self.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard directory >= 0 else { throw Self.failure("open the directory") }
        defer { close(directory) }
        guard fsync(directory) == 0 else { throw Self.failure("sync the directory") }
    }

    /// False when there was none.
    func remove(_ id: String) throws -> Bool {
        if unlink(self.file(id)) == 0 { return true }
        let failure = Self.failure("remove the file")
        if failure.isAbsence { return false }
        throw failure
    }

    private static func write(_ bytes: [UInt8], to path: String) throws {
        let file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw Self.failure("make the file") }
        defer { close(file) }
        var done = 0
        while done < bytes.count {
            let count = bytes.withUnsafeBytes { Glibc.write(file, $0.baseAddress?.advanced(by: done), $0.count - done) }
            guard count >= 0 || errno == EINTR else { throw Self.failure("write the file") }
            done += max(0, count)
        }
        guard fsync(file) == 0 else { throw Self.failure("sync the file") }
    }

    private func file(_ id: String) -> String { "\(self.path)/\(id).json" }

    /// From `errno`: call it before anything else that sets it.
    private static func failure(_ what: String) -> Failure {
        let code = errno
        return Failure(what: "cannot \(what): \(String(cString: strerror(code)))", isAbsence: code == ENOENT)
    }
}
