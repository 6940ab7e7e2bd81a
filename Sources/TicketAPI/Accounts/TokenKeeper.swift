internal import Logging
internal import ServiceLifecycle
internal import Synchronization

/// Notes when tokens were last used, and ends those that are too old. Beside the requests: none waits for it, and none
/// fails when it does.
final class TokenKeeper: Service {
    /// How often a token's use is written.
    static let noteSeconds: Int64 = 60
    /// Uses above this number that wait to be written are not noted this time.
    private static let maxWaiting = 10_000
    private static let sweepBatch: Int64 = 100
    private static let sweepInterval = Duration.seconds(60)
    /// Between two rounds, so that the uses of many tokens share a write; and after one that failed.
    private static let pause = Duration.seconds(1)
    private static let pauseAfterFailure = Duration.seconds(60)

    private let store: TicketStore
    private let lifetimes: TokenLifetimes
    private let now: @Sendable () -> Timestamp
    private let logger: Logger
    private let uses = Mutex<[Int64: Timestamp]>([:])
    private let rings: AsyncStream<Void>
    private let bell: AsyncStream<Void>.Continuation

    init(store: TicketStore, lifetimes: TokenLifetimes, now: @escaping @Sendable () -> Timestamp, logger: Logger) {
        self.store = store
        self.lifetimes = lifetimes
        self.now = now
        self.logger = logger
        (self.rings, self.bell) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    /// Whether a use at `now` is worth a note.
    func isDue(_ token: StoredToken, at now: Timestamp) -> Bool {
        token.lastUsedAt.map { $0.advanced(bySeconds: Self.noteSeconds) <= now } ?? true
    }

    /// The token was used at `now`. Any thread may call it.
    func noteUse(of token: StoredToken, at now: Timestamp) {
        guard self.isDue(token, at: now) else { return }
        self.uses.withLock { uses in
            guard uses.count < Self.maxWaiting else { return }
            uses[token.id] = now
        }
        self.bell.yield()
    }

    /// Somebody came with a token that is too old: looks for such ones now.
    func sweep() {
        self.bell.yield()
    }

    /// Works until graceful shutdown.
    func run() async throws {
        await cancelWhenGracefulShutdown {
            await withDiscardingTaskGroup { group in
                group.addTask { await self.ringNowAndThen() }
                for await _ in self.rings {
                    // Sleep ends early with the service only.
                    try? await Task.sleep(for: await self.work() ? Self.pause : Self.pauseAfterFailure)
                }
                group.cancelAll()
            }
        }
    }

    private func ringNowAndThen() async {
        while !Task.isCancelled {
            self.bell.yield()
            try? await Task.sleep(for: Self.sweepInterval)
        }
    }

    /// Writes the uses, then ends some tokens. Whether it could.
    private func work() async -> Bool {
        let uses = self.uses.withLock { uses in
            defer { uses = [:] }
            return uses
        }
        do {
            if !uses.isEmpty { try await self.store.write { try $0.noteUses(uses) } }
            try await self.endOld()
            return true
        } catch is CancellationError {
            return true
        } catch {
            self.logger.warning("Tokens could not be looked after.", metadata: ["error": "\(error)"])
            return false
        }
    }

    private func endOld() async throws {
        let (lifetimes, now) = (self.lifetimes, self.now())
        let old = try await self.store.read { try $0.oldTokens(lifetimes, now: now, limit: Self.sweepBatch) }
        guard !old.isEmpty else { return }
        try await self.store.write { tables in
            for token in old { _ = try tables.revokeToken(token.id, of: token.userID) }
        }
        self.bell.yield()
    }
}
