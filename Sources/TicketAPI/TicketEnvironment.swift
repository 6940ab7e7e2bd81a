package import Digests

/// What the API takes from the machine, so that a test can give it something else.
package struct TicketEnvironment: Sendable {
    package var now: @Sendable () -> Timestamp
    package var passwordCost: Scrypt.Cost
    /// After so long a connection ends on which nothing comes that is awaited, or nothing is taken that was asked for.
    package var idleLimit: Duration

    package init(
        now: @escaping @Sendable () -> Timestamp, passwordCost: Scrypt.Cost, idleLimit: Duration = .seconds(60)
    ) {
        self.now = now
        self.passwordCost = passwordCost
        self.idleLimit = idleLimit
    }

    package static let live = TicketEnvironment(now: Timestamp.now, passwordCost: .standard)
}
