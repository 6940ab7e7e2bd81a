internal import Synchronization

/// Rings at the relay when something for it was committed. The store is made first, the relay later; what rings before
/// is found by the relay when it starts.
final class OutboxDoorbell: Sendable {
    /// A function that is stored as such in a generic type is wrapped once more each time that it is looked at, and every
    /// call then goes through all wrappings.
    private struct Listener {
        let hear: @Sendable (OutboxNews) -> Void
    }

    private let listener = Mutex<Listener?>(nil)

    func ring(_ news: OutboxNews) {
        self.listener.withLock { $0 }?.hear(news)
    }

    func connect(_ listener: @escaping @Sendable (OutboxNews) -> Void) {
        self.listener.withLock { $0 = Listener(hear: listener) }
    }
}
