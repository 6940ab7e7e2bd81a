internal import Synchronization

/// So many of something at once. Any thread may call it.
final class Quota: Sendable {
    private let limit: Int
    private let taken = Atomic<Int>(0)

    init(limit: Int) {
        self.limit = limit
    }

    /// How many there are.
    var count: Int { self.taken.load(ordering: .relaxed) }

    /// Takes a place; false when there is none. One that was taken is released once.
    func admit() -> Bool {
        guard self.taken.add(1, ordering: .relaxed).newValue > self.limit else { return true }
        self.release()
        return false
    }

    func release() {
        self.taken.subtract(1, ordering: .relaxed)
    }
}
