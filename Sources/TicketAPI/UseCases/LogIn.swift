/// Exchanges an email address and a password for a token.
///
/// Whether the address exists shows neither in the answer nor in its time: an unknown one costs a hash too.
struct LogIn: Sendable {
    let store: TicketStore
    let passwords: PasswordHasher
    let throttle: LoginThrottle
    let now: @Sendable () -> Timestamp

    /// `address` is the caller's network address. Throws `throttled`, `overloaded` or `wrongCredentials`.
    func callAsFunction(
        email: String, password: String, deviceName: String?, address: String
    ) async throws -> (token: AccessToken, user: User) {
        let key = EmailAddress.key(email)
        // Before the slow part: attempts made at the same time count as well.
        let slot = try self.throttle.take(email: key, address: address, now: self.now())
        guard let login = try await self.verified(emailKey: key, password: password, slot: slot) else {
            throw TicketFailure.wrongCredentials
        }
        self.throttle.giveBack(slot)

        let secret = try AccessToken.Secret()
        let now = self.now()
        let id = try await self.store.write { tables in
            try tables.insertToken(
                userID: login.id, name: deviceName ?? AccessToken.defaultName, secretHash: secret.hash, now: now)
        }
        return (AccessToken(id: id, secret: secret), login)
    }

    /// The account if the password is its own. An attempt that could not be judged does not count.
    private func verified(emailKey: String, password: String, slot: LoginThrottle.Slot) async throws -> User? {
        do {
            let login = try await self.store.read { try $0.login(emailKey: emailKey) }
            let isRight = try await self.passwords.verify(password, against: login?.passwordHash)
            return isRight ? login?.user : nil
        } catch {
            self.throttle.giveBack(slot)
            throw error
        }
    }
}
