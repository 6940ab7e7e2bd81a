internal import Logging
internal import ServiceLifecycle

/// Takes those who are admin no longer off the tickets and chats that they had: some in a transaction, so that others can
/// write in between. The role is gone before.
///
/// Whoever takes a role away waits for it. What a crash, or the end of a command, cut short is finished by the server, as
/// the operator's doing.
struct Handover: Service {
    /// Tickets or chats in a transaction.
    static let batch: Int64 = 100
    private static let interval = Duration.seconds(60)

    let store: TicketStore
    let now: @Sendable () -> Timestamp
    let logger: Logger

    /// Returns when nothing is left, or when the task is cancelled because the server stops.
    func callAsFunction(from userID: Int64, by actorID: Int64?) async throws {
        let now = self.now
        var hasMore = true
        while hasMore, !Task.isCancelled {
            hasMore = try await self.store.write { tables in
                try tables.handOver(from: userID, by: actorID, limit: Self.batch, now: now())
            }
        }
    }

    func run() async throws {
        await cancelWhenGracefulShutdown {
            repeat {
                await self.finish()
                // Cancelled at the shutdown.
                try? await Task.sleep(for: Self.interval)
            } while !Task.isCancelled
        }
    }

    private func finish() async {
        do {
            for id in try await self.store.read({ try $0.formerAdminsWithWork() }) {
                try await self(from: id, by: nil)
            }
        } catch {
            self.logger.warning(
                "The tickets of a former admin could not be handed over; tried again in a minute.",
                metadata: ["error": "\(type(of: error))"])
        }
    }
}
