internal import Logging
internal import ServiceLifecycle

/// Removes the files of attachments whose rows are gone: after a deletion, at the start, and every minute, because the
/// commands of the operator delete too.
final class FileSweeper: Service {
    private static let filesAtOnce: Int64 = 100

    private let store: TicketStore
    private let files: AttachmentFiles
    private let logger: Logger
    private let rings: AsyncStream<Void>
    private let doorbell: AsyncStream<Void>.Continuation

    init(store: TicketStore, files: AttachmentFiles, logger: Logger) {
        self.store = store
        self.files = files
        self.logger = logger
        // One ring that waits is enough: a sweep finds all there is.
        (self.rings, self.doorbell) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    /// To be called when rows of attachments may have been deleted. Any thread may call it.
    func ring() {
        self.doorbell.yield()
    }

    func run() async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                while !Task.isCancelled {
                    self.ring()
                    try? await Task.sleep(for: .seconds(60))  // It throws only when the task is cancelled.
                }
            }
            for await _ in self.rings.cancelOnGracefulShutdown() {
                do {
                    try await self.sweep()
                } catch {
                    self.logger.warning(
                        "Files of deleted attachments could not be removed; tried again in a minute.",
                        metadata: ["error": "\(error)"])
                }
            }
            group.cancelAll()
        }
    }

    private func sweep() async throws {
        while true {
            let discarded = try await self.store.read { try $0.discardedFiles(limit: Self.filesAtOnce) }
            guard !discarded.isEmpty else { return }
            await self.files.remove(discarded)
            try await self.store.write { try $0.forgetDiscardedFiles(discarded) }
        }
    }
}
