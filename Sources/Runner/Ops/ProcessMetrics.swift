import Glibc
import Telemetry

/// What concerns the process as a whole (docs/metrics.md), under the names that every exporter uses.
enum ProcessMetrics {
    private static let build = Metric(
        "switchboard_build_info", .gauge, "1, with the version of the program", labels: ["version"])
    private static let live = Metric(
        "switchboard_live", .gauge, "1 while no event loop and no database writer is stuck, else 0")
    private static let ready = Metric(
        "switchboard_ready", .gauge, "1 while clients should be sent here, else 0")
    private static let memory = Metric(
        "process_resident_memory_bytes", .gauge, "Memory of the process that is not swapped out")
    private static let processor = Metric(
        "process_cpu_seconds_total", .counter, "Processor time of the process, user and system")
    private static let descriptors = Metric("process_open_fds", .gauge, "Open file descriptors")
    private static let maxDescriptors = Metric("process_max_fds", .gauge, "How many may be open")
    private static let start = Metric(
        "process_start_time_seconds", .gauge, "When the process began, in seconds since 1970")

    static func write(_ health: Health, to text: inout MetricsText) {
        text.write(self.build, [([Release.version], 1)])
        text.write(self.live, health.isLive ? 1 : 0)
        text.write(self.ready, health.isReady ? 1 : 0)
        text.write(self.memory, self.residentBytes)
        text.write(self.processor, self.processorSeconds)
        text.write(self.descriptors, self.openDescriptors)
        text.write(self.maxDescriptors, OpenFiles.limit)
        text.write(self.start, self.startTime)
    }

    /// Read for the first time when the server begins to listen.
    static let startTime: Double = {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        return Double(now.tv_sec) + Double(now.tv_nsec) / 1e9
    }()

    /// The second number of `/proc/self/statm`, in pages.
    private static var residentBytes: Int {
        guard let file = fopen("/proc/self/statm", "r") else { return 0 }
        defer { fclose(file) }
        let room = 128
        var line = [CChar](repeating: 0, count: room)
        guard fgets(&line, Int32(room), file) != nil else { return 0 }
        let pages = String(decoding: line.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
            .split(separator: " ").dropFirst().first.flatMap { Int($0) }
        return (pages ?? 0) * Int(getpagesize())
    }

    private static var processorSeconds: Double {
        var usage = rusage()
        getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
        func seconds(_ time: timeval) -> Double { Double(time.tv_sec) + Double(time.tv_usec) / 1e6 }
        return seconds(usage.ru_utime) + seconds(usage.ru_stime)
    }

    /// The entries of `/proc/self/fd` without the directory's own descriptor.
    private static var openDescriptors: Int {
        guard let directory = opendir("/proc/self/fd") else { return 0 }
        defer { closedir(directory) }
        var count = 0
        while let entry = readdir(directory) {
            if entry.pointee.d_name.0 != CChar(46) { count += 1 }
        }
        return count - 1
    }
}
