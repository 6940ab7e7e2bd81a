internal import Digests
internal import Glibc
internal import NIOCore
internal import NIOPosix

/// The directory of attachments: `{dataDirectory}/attachments`, readable by nobody else.
///
/// A file has a random name, with `.part` behind it until a request is about to be stored. Whether a file is anybody's
/// the database says, and only it. All work on files is done by threads of its own, and none of it is cancelled half way.
final class AttachmentFiles: Sendable {
    private let directory: String
    private let threads = NIOThreadPool(numberOfThreads: 4)

    /// Makes the directory if there is none. Blocks. Throws `StoreFailure`.
    init(dataDirectory: String) throws {
        self.directory = "\(dataDirectory)/attachments"
        guard mkdir(self.directory, 0o700) == 0 || errno == EEXIST, chmod(self.directory, 0o700) == 0 else {
            throw StoreFailure("The directory \(self.directory) cannot be used: \(FileFailure.text(of: errno)).")
        }
        self.threads.start()
    }

    func shutdown() async throws {
        try await self.threads.shutdownGracefully()
    }

    // MARK: receiving

    /// Appends to a file that is being received; without one, begins it. When it throws, nothing of it is left.
    func append(_ bytes: [UInt8], to file: IncomingFile?) async throws -> IncomingFile {
        try await self.run {
            var file = try file ?? IncomingFile(in: self.directory)
            try file.append(bytes)
            return file
        }
    }

    /// Brings a received file to the disk. When it throws, nothing of it is left.
    func complete(_ file: IncomingFile) async throws {
        try await self.run { try file.complete() }
    }

    func abandon(_ file: IncomingFile) async {
        await self.runAnyway { file.abandon() }
    }

    /// Removes received files that nobody asked to keep.
    func discard(_ uploads: [Upload]) async {
        let paths = uploads.compactMap(\.file).map { self.path($0.file) + IncomingFile.suffix }
        guard !paths.isEmpty else { return }
        await self.runAnyway { for path in paths { unlink(path) } }
    }

    // MARK: keeping

    /// Gives received files their own names for good, then runs `body`, which stores their rows. When either throws, or
    /// `isNeedless` says of the result that it did without them, they are removed.
    func keeping<T: Sendable>(
        _ files: [NewAttachment], unless isNeedless: (T) -> Bool = { _ in false },
        _ body: () async throws -> T
    ) async throws -> T {
        guard !files.isEmpty else { return try await body() }
        do {
            try await self.run { try self.settle(files) }
            let result = try await body()
            if isNeedless(result) { await self.remove(files.map(\.file)) }
            return result
        } catch {
            await self.remove(files.map(\.file))
            throw error
        }
    }

    /// Removes these files; one that is not there is removed already.
    func remove(_ files: [String]) async {
        await self.runAnyway { for file in files { unlink(self.path(file)) } }
    }

    /// Removes what a crash left: files of which `isKnown` knows nothing. Blocks. Nobody else may use the directory.
    func removeLeftovers(isKnown: (String) throws -> Bool) throws {
        guard let listing = opendir(self.directory) else { throw FileFailure("list the attachments") }
        defer { closedir(listing) }
        while let entry = readdir(listing) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            let isPart = name.hasSuffix(IncomingFile.suffix)
            let file = isPart ? String(name.dropLast(IncomingFile.suffix.count)) : name
            // What has no name of ours was put there by somebody else.
            guard IncomingFile.isName(file), try isPart || !isKnown(file) else { continue }
            unlink(self.path(name))
        }
    }

    // MARK: reading

    /// Opens a file of `size` bytes. Throws when there is none, or one of another size.
    func open(_ file: String, size: Int64) async throws -> OpenFile {
        try await self.run { try OpenFile(path: self.path(file), size: size) }
    }

    /// The `count` bytes from `offset`, which the file has.
    func read(_ file: OpenFile, at offset: Int64, count: Int) async throws -> ByteBuffer {
        try await self.run { try file.read(at: offset, count: count) }
    }

    // MARK: -

    private func path(_ file: String) -> String { "\(self.directory)/\(file)" }

    private func settle(_ files: [NewAttachment]) throws {
        for file in files {
            let path = self.path(file.file)
            guard rename(path + IncomingFile.suffix, path) == 0 else { throw FileFailure("rename an attachment") }
        }
        let directory = Glibc.open(self.directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard directory >= 0 else { throw FileFailure("open the attachments") }
        defer { close(directory) }
        guard fsync(directory) == 0 else { throw FileFailure("sync the attachments") }
    }

    /// Unlike the pool's own method, which gives up in a cancelled task: files are put away then, too.
    private func run<T: Sendable>(_ body: @escaping @Sendable () throws -> T) async throws -> T {
        try await withCheckedThrowingContinuation { continuation in
            self.threads.submit { _ in continuation.resume(with: Result(catching: body)) }
        }
    }

    private func runAnyway(_ body: @escaping @Sendable () -> Void) async {
        await withCheckedContinuation { continuation in
            self.threads.submit { _ in
                body()
                continuation.resume()
            }
        }
    }
}

/// What the system refused to do with a file. The description is for the log.
struct FileFailure: Error, CustomStringConvertible {
    let description: String
    /// Whether there is no room, on the disk or within what one may have of it.
    let isDiskFull: Bool

    /// Reads `errno`: to be made right after the call that failed.
    init(_ attempt: String) {
        let code = errno
        self.description = "Could not \(attempt): \(Self.text(of: code))."
        self.isDiskFull = [ENOSPC, EDQUOT, EFBIG].contains(code)
    }

    init(reason: String) {
        self.description = reason
        self.isDiskFull = false
    }

    static func text(of code: CInt) -> String {
        strerror(code).map { String(cString: $0) } ?? "error \(code)"
    }
}
