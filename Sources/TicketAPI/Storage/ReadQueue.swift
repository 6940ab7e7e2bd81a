internal import GRDB
internal import NIOPosix
internal import Synchronization

/// Reads that wait at the same time share a thread's turn and a snapshot, which is taken after the last of them came. A
/// caller waits without a thread.
final class ReadQueue: Sendable {
    private struct Waiting {
        var reads: [any PendingRead] = []
        /// Threads at work, or asked to be.
        var readers = 0
    }

    private let pool: DatabasePool
    private let threads: NIOThreadPool
    private let readsPerTurn: Int
    private let waiting = Mutex(Waiting())

    /// `readers` threads read side by side, each up to `readsPerTurn` reads one after another.
    init(pool: DatabasePool, readers: Int, readsPerTurn: Int) {
        self.pool = pool
        self.threads = NIOThreadPool(numberOfThreads: readers)
        self.threads.start()
        self.readsPerTurn = readsPerTurn
    }

    func perform<T: Sendable>(_ body: @escaping @Sendable (Tables) throws -> T) async throws -> T {
        try await withCheckedThrowingContinuation { continuation in
            let read = Read(body: body, continuation: continuation)
            let mustSchedule = self.waiting.withLock { waiting in
                waiting.reads.append(read)
                guard waiting.readers < self.threads.numberOfThreads else { return false }
                waiting.readers += 1
                return true
            }
            if mustSchedule { self.threads.submit { _ in self.drain() } }
        }
    }

    /// Ends the threads. No call may be running or follow. Blocks.
    func shutdown() throws {
        try self.threads.syncShutdownGracefully()
    }

    private func drain() {
        while let reads = self.nextReads() {
            do {
                try self.pool.unsafeRead { db in
                    // As `read` does, with statements that are prepared once.
                    try db.cachedStatement(sql: "BEGIN DEFERRED").execute()
                    defer {
                        do { try db.cachedStatement(sql: "COMMIT").execute() } catch { try? db.rollback() }
                    }
                    let tables = Tables(db: db)
                    for read in reads { read.run(tables) }
                }
            } catch {
                for read in reads { read.fail(error) }
            }
        }
    }

    private func nextReads() -> [any PendingRead]? {
        self.waiting.withLock { waiting in
            let reads = Array(waiting.reads.prefix(self.readsPerTurn))
            waiting.reads.removeFirst(reads.count)
            if reads.isEmpty { waiting.readers -= 1 }
            return reads.isEmpty ? nil : reads
        }
    }
}

/// One caller's read, whatever it returns.
private protocol PendingRead: Sendable {
    /// Runs it and tells the caller.
    func run(_ tables: Tables)
    /// It could not be run.
    func fail(_ error: any Error)
}

private struct Read<T: Sendable>: PendingRead {
    let body: @Sendable (Tables) throws -> T
    let continuation: CheckedContinuation<T, any Error>

    func run(_ tables: Tables) {
        self.continuation.resume(with: Result { try self.body(tables) })
    }

    func fail(_ error: any Error) {
        self.continuation.resume(throwing: error)
    }
}
