internal import Synchronization

/// What the ticket API has done since the start. Any thread may call it.
final class TicketCounts: Sendable {
    struct Request: Hashable {
        /// `GET /tickets/{id}`; both are the server's own words, so their number is bounded.
        let route: String
        let status: Int
    }

    struct Totals {
        var requests: [Request: Int] = [:]
        /// Calls of the broker by the relay, by their outcome.
        var acceptedCalls = 0
        var failedCalls = 0
    }

    private let state = Mutex(Totals())

    var totals: Totals { self.state.withLock { $0 } }

    func answered(route: String, status: Int) {
        self.state.withLock { $0.requests[Request(route: route, status: status), default: 0] += 1 }
    }

    func called(_ outcome: RelayCall.Outcome) {
        self.state.withLock { state in
            switch outcome {
            case .nothingDue: break
            case .published: state.acceptedCalls += 1
            case .failed, .unavailable: state.failedCalls += 1
            }
        }
    }
}
