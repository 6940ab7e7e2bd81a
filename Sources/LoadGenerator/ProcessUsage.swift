internal import Glibc

/// What a process of this machine has used, from `/proc`.
package struct ProcessUsage: Equatable, Sendable {
    /// CPU seconds of all its threads, those that have ended included.
    package let cpu: Double
    /// Resident memory in bytes.
    package let memory: Int

    /// Nil when there is no such process, or it may not be looked at.
    package init?(of process: Int) {
        guard let stat = Self.read("/proc/\(process)/stat"), let status = Self.read("/proc/\(process)/statm") else {
            return nil
        }
        // The name in brackets may hold anything; the numbers are behind the last bracket. Fields 14 and 15 of all.
        let fields = stat.split(separator: ")").last?.split(separator: " ") ?? []
        let pages = status.split(separator: " ")
        guard fields.count > 12, let user = Double(fields[11]), let system = Double(fields[12]), pages.count > 1,
            let resident = Int(pages[1])
        else { return nil }
        self.cpu = (user + system) / Double(sysconf(CInt(_SC_CLK_TCK)))
        self.memory = resident * Int(sysconf(CInt(_SC_PAGESIZE)))
    }

    /// CPU seconds of this process.
    package static var ownCPU: Double {
        var usage = rusage()
        getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
        func seconds(_ time: timeval) -> Double { Double(time.tv_sec) + Double(time.tv_usec) / 1e6 }
        return seconds(usage.ru_utime) + seconds(usage.ru_stime)
    }

    private static func read(_ path: String) -> String? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        return String(unsafeUninitializedCapacity: 4096) { max(0, Glibc.read(descriptor, $0.baseAddress, $0.count)) }
    }
}
