import Digests
import Testing

@testable import TicketAPI

struct PasswordHasherTests {
    @Test("ACC-10: however many registrations wait, a login finds a place", .timeLimit(.minutes(3)))
    func registrationsLeaveRoom() async throws {
        let hasher = try PasswordHasher(cost: .standard, threads: 1)
        await withTaskGroup(of: Bool.self) { group in
            for _ in 0..<100 {
                group.addTask {
                    do {
                        _ = try await hasher.hash("long enough")
                        return true
                    } catch {
                        return false
                    }
                }
            }
            // The first that is turned away: their places are taken.
            while await group.next() == true {}
            await #expect(throws: Never.self) { try await hasher.verify("long enough", against: nil) }
            // Those that still wait are turned away too.
            await #expect(throws: Never.self) { try await hasher.shutdown() }
        }
    }
}
