package import Digests

/// What the API takes from the machine, so that a test can give it something else.
package struct TicketEnvironment: Sendable {
    package var now: @Sendable () -> Timestamp
    package var passwordCost: Scrypt.Cost

    package init(now: @escaping @Sendable () -> Timestamp, passwordCost: Scrypt.Cost) {
        self.now = now
        self.passwordCost = passwordCost
    }

    package static let live = TicketEnvironment(now: Timestamp.now, passwordCost: .standard)
}
