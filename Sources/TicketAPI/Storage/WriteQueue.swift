internal import GRDB
internal import Glibc
internal import NIOPosix
internal import Synchronization

/// Group commit: writes that wait at the same time share one transaction.
///
/// Each runs in a savepoint, so that one which throws leaves nothing behind and the others stay. The queue is emptied
/// on one thread at a time; a caller waits without a thread.
final class WriteQueue: Sendable {
    private struct Waiting {
        var writes: [any PendingWrite] = []
        /// Whether the writer thread is at work, or was asked to be.
        var isScheduled = false
    }

    /// A bound on how long a caller waits for those behind it, and on the size of a transaction.
    private static let maxWritesPerTransaction = 256
    /// How long fewer writes than shared the last transaction wait for more, in microseconds: half of what a commit takes
    /// on a fast disk. Who writes alone does not wait.
    private static let gatheringTime: UInt32 = 500

    private let pool: DatabasePool
    private let thread: NIOThreadPool
    private let onNews: @Sendable (OutboxNews) -> Void
    private let counts: StoreCounts
    private let waiting = Mutex(Waiting())

    init(pool: DatabasePool, counts: StoreCounts, onNews: @escaping @Sendable (OutboxNews) -> Void) {
        self.pool = pool
        self.thread = NIOThreadPool(numberOfThreads: 1)
        self.thread.start()
        self.counts = counts
        self.onNews = onNews
    }

    /// - Parameter isMeasured: whether it counts among the writes whose times are told.
    func perform<T: Sendable>(
        isMeasured: Bool = true, _ body: @escaping @Sendable (Tables) throws -> T
    ) async throws -> T {
        try await withCheckedThrowingContinuation { continuation in
            let write = Write(start: isMeasured ? ContinuousClock.now : nil, body: body, continuation: continuation)
            let mustSchedule = self.waiting.withLock { waiting in
                waiting.writes.append(write)
                defer { waiting.isScheduled = true }
                return !waiting.isScheduled
            }
            if mustSchedule {
                self.thread.submit { _ in self.drain() }
            }
        }
    }

    /// Ends the thread. No call may be running or follow. Blocks.
    func shutdown() throws {
        try self.thread.syncShutdownGracefully()
    }

    private func drain() {
        var last = 0
        while let group = self.nextGroup(after: last) {
            last = group.count
            // Taken for each group: others who wait for the connection get it in between.
            self.pool.writeWithoutTransaction { self.commit(group, Tables(db: $0)) }
        }
    }

    private func commit(_ group: [any PendingWrite], _ tables: Tables) {
        do {
            try self.transact(group, tables)
            self.counts.committed(writesSince: group.compactMap { $0.start })
        } catch {
            self.counts.failed()
            for write in group { write.finish(failedBy: error) }
            return
        }
        if !tables.news.isEmpty { self.onNews(tables.news) }
        for write in group { write.finish(failedBy: nil) }
    }

    // As GRDB's own blocks do it, with statements that are prepared once.

    private func transact(_ group: [any PendingWrite], _ tables: Tables) throws {
        try tables.run("BEGIN IMMEDIATE", [])
        do {
            for write in group { try self.run(write, tables) }
            try tables.run("COMMIT", [])
        } catch {
            // Some errors (disk full, I/O) end the transaction by themselves; this does nothing then.
            try tables.db.rollback()
            throw error
        }
    }

    /// Throws when the transaction is lost with this write, and then nothing of the group is stored.
    private func run(_ write: any PendingWrite, _ tables: Tables) throws {
        try tables.run("SAVEPOINT write", [])
        guard !write.run(tables) else { return try tables.run("RELEASE write", []) }
        // There is no savepoint any more to go back to when the error ended the transaction.
        guard tables.db.isInsideTransaction else { throw write.error ?? DatabaseError(resultCode: .SQLITE_ABORT) }
        try tables.run("ROLLBACK TO write", [])
        try tables.run("RELEASE write", [])
    }

    private func nextGroup(after last: Int) -> [any PendingWrite]? {
        let count = self.waiting.withLock { $0.writes.count }
        if count > 0, count < last { usleep(Self.gatheringTime) }
        return self.waiting.withLock { waiting in
            let group = Array(waiting.writes.prefix(Self.maxWritesPerTransaction))
            waiting.writes.removeFirst(group.count)
            waiting.isScheduled = !group.isEmpty
            return group.isEmpty ? nil : group
        }
    }
}

/// One caller's write, whatever it returns.
private protocol PendingWrite: Sendable {
    /// When it was asked for; nil for what is not measured.
    var start: ContinuousClock.Instant? { get }
    /// Runs it and keeps the result; whether it succeeded.
    func run(_ tables: Tables) -> Bool
    /// The error of the write itself.
    var error: (any Error)? { get }
    /// Tells the caller: the write's own error, else that of the transaction, else the kept result.
    func finish(failedBy error: (any Error)?)
}

private final class Write<T: Sendable>: PendingWrite {
    let start: ContinuousClock.Instant?
    private let body: @Sendable (Tables) throws -> T
    private let continuation: CheckedContinuation<T, any Error>
    private let result = Mutex<Result<T, any Error>>(.failure(NotRun()))

    init(
        start: ContinuousClock.Instant?, body: @escaping @Sendable (Tables) throws -> T,
        continuation: CheckedContinuation<T, any Error>
    ) {
        self.start = start
        self.body = body
        self.continuation = continuation
    }

    func run(_ tables: Tables) -> Bool {
        let result = Result { try self.body(tables) }
        self.result.withLock { $0 = result }
        if case .success = result { return true }
        return false
    }

    var error: (any Error)? {
        guard case .failure(let error) = self.result.withLock({ $0 }), !(error is NotRun) else { return nil }
        return error
    }

    func finish(failedBy error: (any Error)?) {
        if let error = self.error ?? error {
            self.continuation.resume(throwing: error)
        } else {
            self.continuation.resume(with: self.result.withLock { $0 })
        }
    }
}

/// The result of a write before its turn.
private struct NotRun: Error {}
