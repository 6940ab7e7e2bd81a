import Synchronization

/// How many WebSocket clients the whole node has. Any thread may call it.
final class ConnectionQuota: Sendable {
    private let limit: Int?
    private let count = Atomic<Int>(0)

    /// - Parameter limit: nil for any number, and then nothing is counted.
    init(limit: Int?) {
        self.limit = limit
    }

    /// Counts a client in; false when there are too many. One that was counted in is released once.
    func admit() -> Bool {
        guard let limit else { return true }
        guard self.count.add(1, ordering: .relaxed).newValue > limit else { return true }
        self.release()
        return false
    }

    func release() {
        guard self.limit != nil else { return }
        self.count.subtract(1, ordering: .relaxed)
    }
}
