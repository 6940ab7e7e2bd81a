// Whichever module brings timespec and timeval first owns their members, and with Foundation it is this one.
import CDispatch
import Glibc

/// A blocking connection to a port of this machine, with the bytes that were read and not yet taken.
///
/// Used by one thread. It lives from `init` to `close()`.
final class Socket {
    let descriptor: CInt
    private(set) var buffer = [UInt8](repeating: 0, count: 1 << 18)
    /// What was read and not taken lies in `buffer[start..<end]`.
    private(set) var start = 0
    private(set) var end = 0

    init(port: Int) throws {
        self.descriptor = socket(AF_INET, CInt(SOCK_STREAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(truncatingIfNeeded: port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        let result = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(self.descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard result == 0 else { throw Failure("port \(port) refused the connection") }
        var one: CInt = 1
        setsockopt(self.descriptor, CInt(IPPROTO_TCP), TCP_NODELAY, &one, socklen_t(MemoryLayout<CInt>.size))
        // Nothing that is measured takes this long; a server that hangs ends the benchmark.
        var limit = timeval(tv_sec: 30, tv_usec: 0)
        setsockopt(self.descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
    }

    func close() {
        _ = Glibc.close(self.descriptor)
    }

    func send(_ bytes: [UInt8]) throws {
        var sent = 0
        while sent < bytes.count {
            let count = bytes.withUnsafeBytes { raw in
                Glibc.send(
                    self.descriptor, raw.baseAddress.map { $0 + sent }, bytes.count - sent, CInt(MSG_NOSIGNAL))
            }
            guard count > 0 else { throw Failure("the server closed a connection") }
            sent += count
        }
    }

    /// Waits for bytes and adds them to the buffer.
    func receive() throws {
        if self.start == self.end { (self.start, self.end) = (0, 0) }
        if self.end == self.buffer.count {
            self.buffer.replaceSubrange(0..<self.end - self.start, with: Array(self.buffer[self.start..<self.end]))
            (self.start, self.end) = (0, self.end - self.start)
            guard self.end < self.buffer.count else { throw Failure("an answer is larger than 256 KiB") }
        }
        let end = self.end
        let count = self.buffer.withUnsafeMutableBytes { raw in
            recv(self.descriptor, raw.baseAddress.map { $0 + end }, raw.count - end, 0)
        }
        guard count > 0 else { throw Failure(count == 0 ? "the server closed a connection" : "no answer in 30 s") }
        self.end += count
    }

    func take(_ count: Int) {
        self.start += count
    }

    /// Where `needle` begins in what was read, from `offset` bytes after its start.
    func find(_ needle: StaticString, from offset: Int = 0, within length: Int? = nil) -> Int? {
        let last = self.start + (length ?? (self.end - self.start)) - needle.utf8CodeUnitCount
        return self.buffer.withUnsafeBytes { raw -> Int? in
            guard let base = raw.baseAddress else { return nil }
            var position = self.start + offset
            while position <= last,
                let found = memchr(base + position, CInt(needle.utf8Start.pointee), last - position + 1)
            {
                position = UnsafeRawPointer(found) - base
                if memcmp(found, needle.utf8Start, needle.utf8CodeUnitCount) == 0 { return position - self.start }
                position += 1
            }
            return nil
        }
    }

    /// The decimal number at `offset`, and where it ends.
    func number(at offset: Int) -> (value: Int64, end: Int) {
        var value: Int64 = 0
        var index = self.start + offset
        while index < self.end, case let digit = self.buffer[index] &- 0x30, digit < 10 {
            value = value &* 10 &+ Int64(digit)
            index += 1
        }
        return (value, index - self.start)
    }

    func bytes(_ range: Range<Int>) -> ArraySlice<UInt8> {
        self.buffer[self.start + range.lowerBound..<self.start + range.upperBound]
    }
}
