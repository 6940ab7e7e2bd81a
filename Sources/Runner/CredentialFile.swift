import Digests
import Foundation
import Glibc

/// The credentials of the app nobody named: made at the first start, and kept in `credentials.json` of the data
/// directory for every start after it.
struct CredentialFile: Sendable {
    struct Content: Codable, Sendable {
        let id: String
        let key: String
        let secret: String
    }

    let path: String

    /// - Parameter directory: the path of the data directory.
    init(in directory: String) {
        self.path = "\(directory)/credentials.json"
    }

    /// What the file holds; made when there is none. Two processes that start at once get the same.
    func readOrMake() throws(StartFailure) -> Content {
        if let content = try self.read() { return content }
        try self.make()
        guard let content = try self.read() else {
            throw .unavailable("cannot read \(self.path): it went away")
        }
        return content
    }

    /// What the file holds; nil when there is none.
    func read() throws(StartFailure) -> Content? {
        let descriptor = open(self.path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else {
            if errno == ENOENT { return nil }
            throw .unavailable("cannot read \(self.path): \(lastSystemError())")
        }
        defer { close(descriptor) }
        let handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: false)
        guard let bytes = try? handle.read(upToCount: 4096),
            let content = try? JSONDecoder().decode(Content.self, from: bytes),
            SettingTable.appID.kind.parse(content.id) != nil, SettingTable.appKey.kind.parse(content.key) != nil,
            SettingTable.appSecret.kind.parse(content.secret) != nil
        else {
            throw .unavailable(
                "\(self.path) does not hold an app's id, key and secret; remove it to have new ones made, or set "
                    + "PUSHER_APP_ID, PUSHER_APP_KEY and PUSHER_APP_SECRET")
        }
        return content
    }

    /// Writes new credentials under a name of this process's own and then links them to the real one: the file is
    /// never there in part, and of several processes exactly one wins.
    private func make() throws(StartFailure) {
        let content: Content
        let bytes: Data
        let draft: String
        do {
            // Shaped like the hosted service's: a number, and twice twenty hexadecimal digits.
            let number = try RandomBytes.make(4).reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
            content = Content(
                id: String(number % 9_000_000 + 1_000_000),
                key: Hex.encode(try RandomBytes.make(10)), secret: Hex.encode(try RandomBytes.make(10)))
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
            bytes = try encoder.encode(content) + Data("\n".utf8)
            draft = "\(self.path).\(Hex.encode(try RandomBytes.make(6)))"
        } catch {
            throw .unavailable("cannot make credentials: the system has no random bytes")
        }

        let descriptor = open(draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw .unavailable("cannot write \(draft): \(lastSystemError())") }
        defer {
            close(descriptor)
            unlink(draft)
        }
        let isWritten = bytes.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) } == bytes.count
        guard isWritten, fsync(descriptor) == 0 else {
            throw .unavailable("cannot write \(draft): \(lastSystemError())")
        }
        guard link(draft, self.path) == 0 || errno == EEXIST else {
            throw .unavailable("cannot write \(self.path): \(lastSystemError())")
        }
    }
}
