import Addresses
import PusherProtocol
import Synchronization

/// How many WebSocket clients the node has of each network address. Any thread may call it; the lock is held for two
/// look-ups. Bounded by the number of clients.
final class AddressQuota: Sendable {
    private struct State {
        var counts: [NetworkKey: Int] = [:]
        var addresses: [SocketID: NetworkKey] = [:]
    }

    private let limit: Int?
    private let state = Mutex(State())

    /// - Parameter limit: nil for any number, and then nothing is counted.
    init(limit: Int?) {
        self.limit = limit
    }

    /// Counts a client in; false when its address has too many. One whose address is not known has gone already.
    func admit(_ socketID: SocketID, at address: @autoclosure () -> IPAddress?) -> Bool {
        guard let limit, let address = address() else { return true }
        let key = NetworkKey(address)
        return self.state.withLock { state in
            let count = state.counts[key, default: 0]
            guard count < limit else { return false }
            state.counts[key] = count + 1
            state.addresses[socketID] = key
            return true
        }
    }

    /// The client has gone; it need not have been counted.
    func release(_ socketID: SocketID) {
        guard self.limit != nil else { return }
        self.state.withLock { state in
            guard let key = state.addresses.removeValue(forKey: socketID), let count = state.counts[key] else { return }
            state.counts[key] = count > 1 ? count - 1 : nil
        }
    }
}
