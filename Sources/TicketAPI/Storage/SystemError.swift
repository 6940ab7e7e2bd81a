internal import Glibc

/// The system's words for a failed call.
enum SystemError {
    /// Of the last call of this thread that failed.
    static var last: String {
        let code = errno
        return strerror(code).map { String(cString: $0) } ?? "error \(code)"
    }
}
