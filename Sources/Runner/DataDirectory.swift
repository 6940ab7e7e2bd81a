import Glibc
import TicketAPI

/// The directory that holds everything that outlives the process.
struct DataDirectory: Sendable {
    /// Absolute, for messages and for the parts that open files in it.
    let path: String

    /// Where webhooks lie that could not be delivered.
    static func deadLetters(in path: String) -> String { "\(path)/dead-letters" }

    /// Opens it, and makes it (0700) when it is not there. Finishes a restore that was interrupted. Fails before anything is written when it is not writable.
    init(path: String) throws(StartFailure) {
        try Self.make(path)
        var status = stat()
        guard stat(path, &status) == 0 else {
            throw .unavailable("cannot use the data directory \(path): \(lastSystemError())")
        }
        guard status.st_mode & S_IFMT == S_IFDIR else {
            throw .unavailable("cannot use the data directory \(path): not a directory")
        }
        guard access(path, R_OK | W_OK | X_OK) == 0 else {
            throw .unavailable("cannot use the data directory \(path): \(lastSystemError())")
        }
        guard let resolved = realpath(path, nil) else {
            throw .unavailable("cannot use the data directory \(path): \(lastSystemError())")
        }
        defer { free(resolved) }
        self.path = String(cString: resolved)
        do {
            try PendingRestore.finishInterrupted(dataDirectory: self.path)
        } catch {
            throw .unavailable("a restore into \(self.path) is not finished: \(error)")
        }
    }

    /// Like `mkdir -p`. The umask of the process keeps others out of what is made.
    private static func make(_ path: String) throws(StartFailure) {
        if mkdir(path, 0o700) == 0 || errno == EEXIST { return }
        let parent = String(path[..<(path.lastIndex { $0 == "/" } ?? path.startIndex)])
        if errno == ENOENT, !parent.isEmpty {
            try self.make(parent)
            if mkdir(path, 0o700) == 0 || errno == EEXIST { return }
        }
        throw .unavailable("cannot make the data directory \(path): \(lastSystemError())")
    }
}
