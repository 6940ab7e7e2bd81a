internal import Logging
internal import ServiceLifecycle

/// Bounds how long an authorization lasts: connections that were first signed for a week ago are asked to come back,
/// and forgotten. Most of them have gone long ago.
struct SocketSweep: Service {
    private static let lifetimeSeconds: Int64 = 7 * 24 * 3600
    private static let interval = Duration.seconds(3600)
    private static let batch: Int64 = 500

    let store: TicketStore
    let now: @Sendable () -> Timestamp
    let logger: Logger

    func run() async throws {
        await cancelWhenGracefulShutdown {
            repeat {
                await self.sweep()
                // Cancelled at the shutdown.
                try? await Task.sleep(for: Self.interval)
            } while !Task.isCancelled
        }
    }

    private func sweep() async {
        let limit = self.now().advanced(bySeconds: -Self.lifetimeSeconds)
        do {
            while try await self.store.write({ try $0.endOldSockets(before: limit, count: Self.batch) }) > 0 {}
        } catch {
            self.logger.warning("Old connections could not be ended.", metadata: ["error": "\(type(of: error))"])
        }
    }
}
