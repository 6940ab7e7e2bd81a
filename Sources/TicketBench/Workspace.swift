import Foundation
import Synchronization

/// A directory for this run, which goes with it.
final class Workspace: Sendable {
    private let root: URL
    private static let roots = Mutex<[URL]>([])

    init(in directory: String) throws {
        let name = "ticket-bench-\(getpid())"
        self.root = URL(fileURLWithPath: directory, isDirectory: true).appendingPathComponent(name, isDirectory: true)
        try FileManager.default.createDirectory(at: self.root, withIntermediateDirectories: true)
        Self.roots.withLock { $0.append(self.root) }
    }

    func path(_ name: String) -> String { self.root.appendingPathComponent(name).path }

    func directory(_ name: String) throws -> String {
        let path = self.path(name)
        try FileManager.default.createDirectory(
            atPath: path, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        return path
    }

    func remove() {
        try? FileManager.default.removeItem(at: self.root)
    }

    static func removeAll() {
        for root in self.roots.withLock({ $0 }) { try? FileManager.default.removeItem(at: root) }
    }

    /// How many times a second 4 KiB can be appended to a file and made durable: what a commit waits for.
    func syncsPerSecond() throws -> Double {
        let file = open(self.path("sync"), O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw Failure("\(self.root.path) cannot be written") }
        defer { close(file) }
        let page = [UInt8](repeating: 0x5a, count: 4096)
        let start = Clock.now
        var count = 0.0
        while Clock.now - start < 1_000_000_000 {
            guard write(file, page, page.count) == page.count, fdatasync(file) == 0 else {
                throw Failure("\(self.root.path) cannot be written")
            }
            count += 1
        }
        return count / (Double(Clock.now - start) / 1e9)
    }
}
