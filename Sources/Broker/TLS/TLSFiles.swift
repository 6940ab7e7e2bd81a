import Glibc
import NIOPosix

/// Where the broker's certificate and its key lie, as PEM files.
package struct TLSFiles: Equatable, Sendable {
    /// The server's certificate first, then the intermediate ones.
    package var certificate: String
    /// Not encrypted: nobody is there to type a passphrase.
    package var key: String

    package init(certificate: String, key: String) {
        self.certificate = certificate
        self.key = key
    }

    /// What the files held when they were read.
    struct Contents: Sendable {
        let certificate: [UInt8]
        let key: [UInt8]
        /// Whether users other than the owner and the group may read the key. The group may: machines commonly have
        /// one for programs that use certificates.
        let exposesKey: Bool
    }

    /// Reads both files on a thread that may wait.
    func read() async throws -> Contents {
        try await NIOThreadPool.singleton.runIfActive {
            let (certificate, _) = try Self.read(self.certificate, as: "certificate")
            let (key, mode) = try Self.read(self.key, as: "key")
            return Contents(certificate: certificate, key: key, exposesKey: mode & 0o007 != 0)
        }
    }

    private static let maximumBytes = 1 << 20

    private static func read(_ path: String, as role: String) throws(TLSFailure) -> ([UInt8], mode_t) {
        // Not blocking: the path of a pipe that nobody writes would hold the reader for ever.
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw TLSFailure(role, path, "cannot be read: \(Self.lastError())") }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw TLSFailure(role, path, "cannot be read: not a file")
        }
        guard status.st_size <= Self.maximumBytes else {
            throw TLSFailure(role, path, "cannot be read: larger than \(Self.maximumBytes) bytes")
        }
        var bytes = [UInt8](repeating: 0, count: Int(status.st_size))
        var filled = 0
        while filled < bytes.count {
            let count = bytes.withUnsafeMutableBytes { buffer in
                Glibc.read(
                    descriptor, UnsafeMutableRawBufferPointer(rebasing: buffer[filled...]).baseAddress,
                    buffer.count - filled)
            }
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw TLSFailure(role, path, "cannot be read: \(Self.lastError())") }
            // Shorter than it was a moment ago: somebody is writing it, and what is there will not parse.
            if count == 0 { break }
            filled += count
        }
        return (Array(bytes[..<filled]), status.st_mode)
    }

    private static func lastError() -> String { String(cString: strerror(errno)) }
}

/// Why there is no certificate to serve with; `description` is one line for the operator.
package struct TLSFailure: Error, Equatable, CustomStringConvertible {
    package let description: String

    init(_ role: String, _ path: String, _ problem: String) {
        self.description = "TLS \(role) \(path) \(problem)"
    }
}
