import Synchronization

/// Turns that several tasks take until they are told that it is over.
final class Turns: Sendable {
    private let state = Mutex((count: 0, areOver: false))

    func take() { self.state.withLock { $0.count += 1 } }
    func end() { self.state.withLock { $0.areOver = true } }

    var count: Int { self.state.withLock { $0.count } }
    var areOver: Bool { self.state.withLock { $0.areOver } }
}
