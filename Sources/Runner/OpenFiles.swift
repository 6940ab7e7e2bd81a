import Glibc
import Logging

/// The limit of open files: every connection is a descriptor, and the usual soft limit is 1,024.
enum OpenFiles {
    /// Below this a server runs out of descriptors before it runs out of anything else.
    private static let fewest = 8192
    /// What the program needs beside its connections: the database, attachments, webhooks, listeners.
    private static let others = 256

    /// How many descriptors may be open.
    static var limit: Int { Int(clamping: self.limits.rlim_cur) }

    private static var limits: rlimit {
        var limit = rlimit()
        getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        return limit
    }

    /// Raises the limit as far as the system lets it. False when the system would not, and `errno` says why.
    static func raise() -> Bool {
        var limit = self.limits
        guard limit.rlim_cur < limit.rlim_max else { return true }
        limit.rlim_cur = limit.rlim_max
        return setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0
    }

    /// The same for a server, which goes on with what it has: warns when it cannot be raised, and when that is not enough.
    /// - Parameter connections: how many clients the settings allow; nil for any number.
    static func raise(for connections: Int?, logger: Logger) {
        if !self.raise() {
            logger.warning("cannot raise the limit of open files", metadata: ["reason": "\(lastSystemError())"])
        }
        let needed = connections.map { $0 + self.others } ?? self.fewest
        guard self.limit < needed else { return }
        logger.warning(
            """
            The limit of open files is low: further connections are refused once it is reached. Raise it with LimitNOFILE= of \
            the systemd unit, or 'ulimit -Hn'.
            """,
            metadata: ["limit": "\(self.limit)", "needed": "\(needed)"])
    }
}
