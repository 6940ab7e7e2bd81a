internal import Synchronization

/// Rings at the relay when events were committed. The store is made first, the relay later; what rings before is found
/// by the relay when it starts.
final class OutboxDoorbell: Sendable {
    private let listener = Mutex<(@Sendable ([Int64]) -> Void)?>(nil)

    func ring(_ tickets: [Int64]) {
        self.listener.withLock { $0 }?(tickets)
    }

    func connect(_ listener: @escaping @Sendable ([Int64]) -> Void) {
        self.listener.withLock { $0 = listener }
    }
}
