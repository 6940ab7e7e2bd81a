internal import Digests
internal import NIOPosix
internal import Synchronization

/// Hashes passwords on threads of its own, a few at a time.
final class PasswordHasher: Sendable {
    /// How many may wait. At 0.1 s each and two threads, the last of them waits three seconds; more are turned away.
    private static let maxWaiting = 64
    /// How many may wait when a new password is admitted: anybody may register, and those who log in need room.
    private static let maxWaitingForNew = 16

    private let threads: NIOThreadPool
    private let cost: Scrypt.Cost
    private let waiting = Mutex(0)
    /// What an unknown account is compared with, so that it takes as long as a known one.
    private let nobody: String

    init(cost: Scrypt.Cost, threads: Int) throws {
        self.cost = cost
        self.nobody = try PasswordHash.make(RandomBytes.alphanumeric(40), cost: cost)
        self.threads = NIOThreadPool(numberOfThreads: threads)
        self.threads.start()
    }

    /// A new password's hash. Throws `overloaded` when a quarter of the places is taken.
    func hash(_ password: String) async throws -> String {
        let cost = self.cost
        return try await self.run(behind: Self.maxWaitingForNew) { try PasswordHash.make(password, cost: cost) }
    }

    /// Whether the password is the one of `hash`. Without a hash it is not, after the same time. Throws `overloaded`
    /// when all places are taken.
    func verify(_ password: String, against hash: String?) async throws -> Bool {
        let expected = hash ?? self.nobody
        let isRight = try await self.run(behind: Self.maxWaiting) {
            try PasswordHash.verify(password, against: expected)
        }
        return isRight && hash != nil
    }

    func shutdown() async throws {
        try await self.threads.shutdownGracefully()
    }

    /// Throws `overloaded` when `limit` wait already.
    private func run<T: Sendable>(behind limit: Int, _ body: @escaping @Sendable () throws -> T) async throws -> T {
        let isAdmitted = self.waiting.withLock { waiting in
            guard waiting < limit else { return false }
            waiting += 1
            return true
        }
        guard isAdmitted else { throw TicketFailure.overloaded }
        defer { self.waiting.withLock { $0 -= 1 } }
        return try await self.threads.runIfActive(body)
    }
}
