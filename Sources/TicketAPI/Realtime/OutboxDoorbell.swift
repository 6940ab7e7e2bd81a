internal import Synchronization

/// Rings at the relay when something for it was committed. The store is made first, the relay later; what rings before is found
/// by the relay when it starts.
final class OutboxDoorbell: Sendable {
    private let listener = Mutex<(@Sendable (OutboxNews) -> Void)?>(nil)

    func ring(_ news: OutboxNews) {
        self.listener.withLock { $0 }?(news)
    }

    func connect(_ listener: @escaping @Sendable (OutboxNews) -> Void) {
        self.listener.withLock { $0 = listener }
    }
}
