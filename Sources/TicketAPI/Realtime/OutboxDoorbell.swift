internal import Synchronization

/// Rings at the relay when events were committed. The store is made first, the relay later; what rings before is found
/// by the relay when it starts.
final class OutboxDoorbell: Sendable {
    /// A function that is stored as such in a generic type is wrapped once more each time that it is looked at, and every
    /// call then goes through all wrappings.
    private struct Listener {
        let hear: @Sendable ([Int64]) -> Void
    }

    private let listener = Mutex<Listener?>(nil)

    func ring(_ tickets: [Int64]) {
        self.listener.withLock { $0 }?.hear(tickets)
    }

    func connect(_ listener: @escaping @Sendable ([Int64]) -> Void) {
        self.listener.withLock { $0 = Listener(hear: listener) }
    }
}
