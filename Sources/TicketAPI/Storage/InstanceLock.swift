internal import Glibc

/// Keeps a second server off the data directory: two relays would publish everything twice and out of order.
///
/// The lock is the kernel's, on an open file, so it goes with the process however that ends.
final class InstanceLock: Sendable {
    private let descriptor: CInt

    /// Throws `StoreFailure` when another process has it, or the directory cannot be written.
    init(dataDirectory: String) throws {
        let path = "\(dataDirectory)/tickets.lock"
        self.descriptor = open(path, O_CREAT | O_RDWR | O_CLOEXEC, 0o600)
        guard self.descriptor >= 0 else {
            throw StoreFailure("The data directory \(dataDirectory) cannot be written: \(SystemError.last).")
        }
        guard flock(self.descriptor, LOCK_EX | LOCK_NB) == 0 else {
            close(self.descriptor)
            throw StoreFailure("Another ticket server uses the data directory \(dataDirectory).")
        }
    }

    deinit {
        close(self.descriptor)
    }
}
