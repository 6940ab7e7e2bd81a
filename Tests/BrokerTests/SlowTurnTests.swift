import Broker
import Support
import Testing

@Suite("Slow turns")
struct SlowTurnTests {
    @Test("Work of more than 5 ms is counted, and the longest kept")
    func counts() {
        let turns = SlowTurns()
        for time in [SlowTurns.limit, SlowTurns.limit + 1, 9_000_000, 1] { turns.note(time) }
        #expect(turns.count == 2)
        #expect(turns.longest == 9_000_000)
    }

    @Test("Every loop measures what it does", arguments: [false, true])
    func measures(overTLS: Bool) async throws {
        try await TestBroker.run(loops: 1, certificate: overTLS ? TestCertificate() : nil) { broker in
            #expect(broker.slowTurns.count == 1)
            // A turn is noted behind its answers, but before the next turn.
            let client = try await broker.client()
            try await client.subscribe("a")
            #expect(broker.slowTurns[0].longest > 0)
        }
    }
}
