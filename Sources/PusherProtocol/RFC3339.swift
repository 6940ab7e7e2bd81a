internal import Glibc

/// Moments in text (RFC 3339), for messages.
enum RFC3339 {
    /// `2013-09-29T08:46:33Z` for seconds since 1970; the bare number for what is not from 1970 to 9999.
    static func text(_ seconds: Int64) -> String {
        var (moment, parts) = (time_t(seconds), tm())
        guard (0..<253_402_300_800).contains(seconds), gmtime_r(&moment, &parts) != nil else { return String(seconds) }
        return withUnsafeTemporaryAllocation(of: CChar.self, capacity: 32) { buffer in
            let length = strftime(buffer.baseAddress, buffer.count, "%Y-%m-%dT%H:%M:%SZ", &parts)
            return String(decoding: UnsafeRawBufferPointer(buffer).prefix(length), as: UTF8.self)
        }
    }
}
