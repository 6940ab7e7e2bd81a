import Synchronization
import Testing

/// Posts to a ticket as fast as the answers come, until it is told to stop.
final class Writer: Sendable {
    private let state = Mutex((isOver: false, posted: 0))

    /// Any number of tasks may run it at the same time.
    func run(_ api: TicketHarness, ticket: Int64, as account: TicketHarness.Account) async throws {
        while !self.state.withLock({ $0.isOver }) {
            let reply = try await api.post("x", to: ticket, as: account)
            #expect(reply.status == 201)
            self.state.withLock { $0.posted += 1 }
        }
    }

    func stop() {
        self.state.withLock { $0.isOver = true }
    }

    var posted: Int { self.state.withLock { $0.posted } }
}
