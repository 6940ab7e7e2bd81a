import Broker
import PusherProtocol
import Testing

@Suite("Drain")
struct DrainTests {
    @Test("P19: clients are sent away one after the other, each with 4200")
    func paced() async throws {
        // At least a hundred go in a second: one each ten milliseconds.
        try await TestBroker.run(loops: 1, configure: { $0.timeouts.drain = .seconds(600) }) { broker in
            var clients: [PusherTestClient] = []
            for _ in 0..<60 { clients.append(try await broker.client()) }
            let start = ContinuousClock.now
            await broker.shutDown()
            for client in clients {
                #expect(try await client.next().data?.contains("4200") == true)
                #expect(try await client.closeCode() == 4200)
            }
            // Five at once, and then a pause of fifty milliseconds: eleven pauses. A busy machine takes longer.
            #expect(ContinuousClock.now - start >= .milliseconds(550))
        }
    }

    @Test("While clients are sent away nobody new is accepted, and a request under way is answered")
    func order() async throws {
        try await TestBroker.run(loops: 1, configure: { $0.timeouts.drain = .seconds(600) }) { broker in
            let http = try await broker.raw()
            let request = signedRequest("POST", "/apps/4711/events", body: #"{"name":"n","channel":"c","data":"x"}"#)
            try await http.send(String(request.dropLast(5)))
            var clients: [PusherTestClient] = []
            for _ in 0..<200 { clients.append(try await broker.client()) }
            await broker.shutDown()
            #expect(try await clients[199].closeCode() == 4200)
            await #expect(throws: (any Error).self) { try await broker.raw() }
            try await http.send(String(request.suffix(5)))
            let answer = try await http.answer()
            #expect(answer.status == 200 && answer.fields["connection"] == "close")
            for client in clients.dropLast() { #expect(try await client.closeCode() == 4200) }
        }
    }
}
