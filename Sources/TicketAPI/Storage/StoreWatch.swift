internal import ServiceLifecycle
internal import Synchronization
internal import Telemetry

/// What is known of the outbox, as it was a moment ago.
struct OutboxState: Sendable {
    var events = 0
    /// When the oldest of them came in.
    var since: Timestamp?

    /// Seconds for which the oldest has waited; 0 when there is none, or when it is not known.
    func age(at now: Timestamp) -> Double {
        guard let since else { return 0 }
        return Double(max(0, now.microseconds - since.microseconds)) / 1_000_000
    }
}

/// Asks the database every second whether it still takes writes, and what waits in the outbox.
///
/// A transaction without a write takes the writer's place in the queue and the database's lock, and touches no disk.
final class StoreWatch: Service {
    private static let interval = Duration.seconds(1)

    /// Beats with every transaction that was committed.
    let pulse: Pulse
    private let store: TicketStore
    private let state = Mutex(OutboxState())

    /// - Parameter limit: after so long without a commit the writer is stuck.
    init(store: TicketStore, limit: Duration) {
        self.store = store
        self.pulse = Pulse("ticket database writer", limit: limit)
    }

    var outbox: OutboxState { self.state.withLock { $0 } }

    func run() async throws {
        await cancelWhenGracefulShutdown {
            repeat {
                await self.look()
                // Cancelled at the shutdown.
                try? await Task.sleep(for: Self.interval)
            } while !Task.isCancelled
        }
        self.pulse.end()
    }

    /// A failure is no beat: who cannot write for long is as good as dead. Those who need the store report the cause.
    private func look() async {
        guard (try? await self.store.probe()) != nil else { return }
        self.pulse.beat()
        guard let outbox = try? await self.store.lookUp({ try $0.outboxState() }) else { return }
        self.state.withLock { $0 = outbox }
    }
}
