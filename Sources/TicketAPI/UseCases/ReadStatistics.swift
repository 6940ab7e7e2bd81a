/// Figures about tickets and messages, for admins.
struct ReadStatistics: Sendable {
    let store: TicketStore
    let now: @Sendable () -> Timestamp

    func callAsFunction() async throws -> Statistics {
        let now = self.now()
        return try await self.store.read { try $0.statistics(now: now) }
    }
}

struct Statistics: Sendable {
    /// How many days it looks back, the present one included.
    static let days: Int64 = 30

    /// How many tickets there are with these terms; combinations that no ticket has are left out.
    let tickets: [TicketCount]
    /// The last days (UTC), oldest first, each with its number of messages.
    let messageDays: [(start: Timestamp, count: Int64)]
    /// How long half of the answered tickets waited at most for the first word of an admin; nil while none is answered.
    let medianFirstResponseSeconds: Int64?

    struct TicketCount: Sendable {
        let status: Status
        let priority: Priority
        let category: Category
        let count: Int64
    }
}
