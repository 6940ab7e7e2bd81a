internal import Digests
internal import Foundation
package import Logging
internal import Synchronization

/// The dead letters of a data directory: a file each, so that an operator's command and the server can work on them at
/// the same time and neither sees half a letter.
///
/// Bounded: when there are too many, the oldest are removed. All file work is done on a queue of its own.
package final class DeadLetterBox: Sendable {
    private let folder: LetterFolder
    private let maxLetters: Int
    private let maxBytes: Int
    private let logger: Logger
    private let queue = DispatchQueue(label: "dead-letters")
    /// The time in the last id, so that letters of one millisecond keep their order.
    private let lastTime = Mutex<Int64>(0)

    /// - Parameter directory: `DATA_DIR/dead-letters`; made (0700) with the first letter.
    package init(directory: String, configuration: WebhookConfiguration = WebhookConfiguration(), logger: Logger) {
        self.folder = LetterFolder(path: directory)
        self.maxLetters = configuration.maxDeadLetters
        self.maxBytes = configuration.maxDeadLetterBytes
        self.logger = logger
    }

    /// All letters, the oldest first. A file that is no letter is logged and passed over.
    package func list() async throws -> [DeadLetter] {
        try await self.onQueue {
            try self.folder.entries().compactMap { entry in
                do {
                    return try self.read(entry.id)
                } catch let error as LetterFolder.Failure where error.isAbsence {
                    // Removed since the directory was read.
                    return nil
                } catch {
                    self.logger.warning(
                        "A dead letter cannot be read; it is passed over.",
                        metadata: ["letter": "\(entry.id)", "cause": "\(Self.cause(of: error))"])
                    return nil
                }
            }
        }
    }

    /// Removes a letter, also one that cannot be read. False when there is none with this id.
    @discardableResult
    package func remove(_ id: String) async throws -> Bool {
        guard Self.isID(id) else { return false }
        return try await self.onQueue { try self.folder.remove(id) }
    }

    /// Keeps a letter. When it returns the letter is on the disk.
    func put(_ draft: DeadLetterDraft) async throws {
        let now = WallClock.milliseconds
        let time = self.lastTime.withLock { last in
            last = max(last + 1, now)
            return last
        }
        let id = "\(time)-\(Hex.encode(try RandomBytes.make(4)))"
        try await self.write(
            DeadLetter(
                id: id, app: draft.app, url: draft.url, body: draft.body, createdMS: draft.created, givenUpMS: now,
                attempts: draft.attempts, failure: draft.failure))
    }

    /// Writes a letter, in the place of the one with its id.
    func write(_ letter: DeadLetter) async throws {
        try await self.onQueue {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
            try self.folder.write([UInt8](try encoder.encode(letter)), as: letter.id)
            try self.removeOldest()
        }
    }

    private func read(_ id: String) throws -> DeadLetter {
        // What is larger than all letters together may be is no letter.
        let bytes = try self.folder.read(id, limit: self.maxBytes)
        let letter = try JSONDecoder().decode(DeadLetter.self, from: Data(bytes))
        guard letter.id == id else { throw LetterFolder.Failure(what: "the id in it is another") }
        return letter
    }

    private func removeOldest() throws {
        let entries = try self.folder.entries()
        var count = entries.count
        var bytes = entries.reduce(0) { $0 + $1.bytes }
        var removed = 0
        // The newest stays, whatever its size.
        for entry in entries.dropLast() where count > self.maxLetters || bytes > self.maxBytes {
            if try self.folder.remove(entry.id) { removed += 1 }
            count -= 1
            bytes -= entry.bytes
        }
        guard removed > 0 else { return }
        self.logger.warning(
            "There are too many dead letters; the oldest were removed.",
            metadata: ["removed": "\(removed)", "kept": "\(count)"])
    }

    /// `[0-9]{13,}-[0-9a-f]{8}`: also what keeps a name from leaving the directory.
    static func isID(_ text: String) -> Bool {
        let halves = text.utf8.split(separator: UInt8(ascii: "-"), omittingEmptySubsequences: false)
        return halves.count == 2 && (13...19).contains(halves[0].count) && halves[1].count == 8
            && halves[0].allSatisfy { (48...57).contains($0) }
            && halves[1].allSatisfy { (48...57).contains($0) || (97...102).contains($0) }
    }

    /// A word for the log: a decoder's own description could quote the letter.
    private static func cause(of error: any Error) -> String {
        (error as? LetterFolder.Failure)?.what ?? "it is not the JSON of a letter"
    }

    private func onQueue<Result: Sendable>(_ work: @escaping @Sendable () throws -> Result) async throws -> Result {
        try await withCheckedThrowingContinuation { continuation in
            self.queue.async { continuation.resume(with: Swift.Result(catching: work)) }
        }
    }
}
