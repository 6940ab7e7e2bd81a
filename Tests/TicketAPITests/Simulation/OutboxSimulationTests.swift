import Foundation
import Testing

/// `SWITCHBOARD_SIMULATION_SEED` repeats one seed, `SWITCHBOARD_SIMULATION_SEEDS` says how many there are to be.
@Suite(.timeLimit(.minutes(30)))
struct OutboxSimulationTests {
    private static var seeds: Range<UInt64> {
        let environment = ProcessInfo.processInfo.environment
        if let seed = environment["SWITCHBOARD_SIMULATION_SEED"].flatMap(UInt64.init) { return seed..<(seed + 1) }
        return 0..<(environment["SWITCHBOARD_SIMULATION_SEEDS"].flatMap(UInt64.init) ?? 20)
    }

    @Test(
        "EVT-1, EVT-2, REV-4: whatever is killed, fails or goes away: nothing lost, in order per ticket, revocations first"
    )
    func crashes() async throws {
        var (events, crashes, repetitions) = (0, 0, 0)
        for seed in Self.seeds {
            var simulation = try await OutboxSimulation(seed: seed)
            let step = try await simulation.run(steps: 300)
            let complaints = simulation.complaints
            #expect(
                complaints.isEmpty,
                """
                seed \(seed), step \(step): repeat it with SWITCHBOARD_SIMULATION_SEED=\(seed) swift test --filter \
                OutboxSimulation
                """)
            events += simulation.events
            crashes += simulation.crashes
            repetitions += simulation.repetitions
            try await simulation.remove()
        }
        print("simulated: \(Self.seeds.count) seeds, \(events) events, \(crashes) crashes, \(repetitions) repetitions")
    }
}
