import Glibc

/// How many files and sockets the process may have open. Every connection is one, and the usual soft limit is 1,024.
enum FileLimit {
    /// Raises it as far as the system lets it; false, with `errno`, when that fails.
    static func raise() -> Bool {
        guard var limit = self.current, limit.rlim_cur < limit.rlim_max else { return true }
        limit.rlim_cur = limit.rlim_max
        return setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0
    }

    /// The limit now.
    static var value: Int { self.current.map { Int(clamping: $0.rlim_cur) } ?? .max }

    private static var current: rlimit? {
        var limit = rlimit()
        return getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 ? limit : nil
    }
}
