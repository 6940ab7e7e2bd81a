internal import Digests
internal import Glibc

/// The last line of a backup: the SHA-256 of everything before it.
///
/// SQLite goes by the page count in its header and never looks at what follows the last page, so the file remains a
/// database that any tool opens. Its own integrity check would not notice a changed letter in somebody's message.
struct BackupSeal {
    let path: String

    private static let opening = "\nswitchboard backup, sha256 "
    private static let length = Self.opening.utf8.count + 64 + 1
    private static let chunk = 1 << 20

    /// Seals a finished file and brings it to the disk.
    func close(progress: (Double) -> Void) throws {
        let file = try self.open("r+b")
        defer { fclose(file) }
        let digest = try self.digest(of: file, length: self.size(of: file), progress: progress)
        let line = Array("\(Self.opening)\(digest.hex)\n".utf8)
        guard fseek(file, 0, SEEK_END) == 0, fwrite(line, 1, line.count, file) == line.count, fflush(file) == 0,
            fsync(fileno(file)) == 0
        else { throw StoreFailure("\(self.path) cannot be written: \(SystemError.last).") }
    }

    /// The length of the database before the seal. Throws when a byte is not as it was when the backup was made.
    func verify(progress: (Double) -> Void) throws -> Int {
        let file = try self.open("rb")
        defer { fclose(file) }
        let length = try self.size(of: file) - Self.length
        var line = [UInt8](repeating: 0, count: Self.length)
        guard length > 0, fseek(file, length, SEEK_SET) == 0, fread(&line, 1, line.count, file) == line.count,
            line.starts(with: Array(Self.opening.utf8))
        else {
            throw StoreFailure("\(self.path) is not a whole backup: its end is missing.")
        }
        let digest = try self.digest(of: file, length: length, progress: progress)
        guard line == Array("\(Self.opening)\(digest.hex)\n".utf8) else {
            throw StoreFailure("\(self.path) is damaged: it is not what it was when the backup was made.")
        }
        return length
    }

    private func open(_ mode: String) throws -> UnsafeMutablePointer<FILE> {
        guard let file = fopen(self.path, mode) else {
            throw StoreFailure("\(self.path) cannot be read: \(SystemError.last).")
        }
        return file
    }

    private func size(of file: UnsafeMutablePointer<FILE>) throws -> Int {
        guard fseek(file, 0, SEEK_END) == 0, case let length = ftell(file), length >= 0 else {
            throw StoreFailure("\(self.path) cannot be read: \(SystemError.last).")
        }
        return length
    }

    private func digest(
        of file: UnsafeMutablePointer<FILE>, length: Int, progress: (Double) -> Void
    ) throws -> Digest32 {
        rewind(file)
        var hash = RunningSHA256()
        var buffer = [UInt8](repeating: 0, count: Self.chunk)
        var rest = length
        while rest > 0 {
            let count = fread(&buffer, 1, min(rest, buffer.count), file)
            guard count > 0 else { throw StoreFailure("\(self.path) cannot be read: \(SystemError.last).") }
            buffer[..<count].withUnsafeBytes { hash.update($0) }
            rest -= count
            progress(1 - Double(rest) / Double(length))
        }
        return hash.digest
    }
}
