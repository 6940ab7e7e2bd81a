import Glibc

/// Why the program ends before it serves: one line for the operator, and an exit code of `sysexits.h`.
enum StartFailure: Error, CustomStringConvertible {
    /// A flag, or a combination of them, that makes no sense.
    case usage(String)
    /// The environment or the configuration file says something that is not allowed.
    case configuration(String)
    /// The machine does not let it: a port, a directory, a database.
    case unavailable(String)

    var description: String {
        switch self {
        case .usage(let text), .configuration(let text), .unavailable(let text): text
        }
    }

    var exitCode: Int32 {
        switch self {
        case .usage: EX_USAGE
        case .configuration: EX_CONFIG
        case .unavailable: EX_UNAVAILABLE
        }
    }
}

/// Text to standard error and standard output, whole and at once; both may be a pipe that another program reads.
enum StandardError {
    static func write(_ text: String) { writeAll(text, to: STDERR_FILENO) }
}

enum StandardOutput {
    static func write(_ text: String) { writeAll(text, to: STDOUT_FILENO) }
}

private func writeAll(_ text: String, to descriptor: Int32) {
    var text = text
    text.withUTF8 { bytes in
        var rest = UnsafeRawBufferPointer(bytes)
        while !rest.isEmpty {
            let written = write(descriptor, rest.baseAddress, rest.count)
            if written < 0 {
                // Nobody reads any more: there is no one left to tell.
                guard errno == EINTR else { return }
                continue
            }
            rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(written))
        }
    }
}

/// The system's words for the last failed call.
func lastSystemError() -> String {
    String(cString: strerror(errno))
}
