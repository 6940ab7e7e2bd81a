/// Exchanges an email address and a password for a token or a session.
///
/// Whether the address exists shows neither in the answer nor in its time: an unknown one costs a hash too.
struct LogIn: Sendable {
    let store: TicketStore
    let passwords: PasswordHasher
    let throttle: LoginThrottle
    let now: @Sendable () -> Timestamp

    /// `address` is the caller's network address. Throws `throttled`, `overloaded` or `wrongCredentials`.
    func callAsFunction(
        email: String, password: String, address: String, wish: AccessToken.Wish
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
        let token = try await self.store.write { tables in
            // A password that was changed since it was looked at opens nothing: what it had opened has just ended.
            guard try tables.hasPassword(login.passwordHash, userID: login.user.id) else {
                throw TicketFailure.wrongCredentials
            }
            return try tables.openToken(wish, secret: secret, for: login.user.id, now: now)
        }
        return (token, login.user)
    }

    /// The account if the password is its own. An attempt that could not be judged does not count.
    private func verified(
        emailKey: String, password: String, slot: LoginThrottle.Slot
    ) async throws -> (user: User, passwordHash: String)? {
        do {
            let login = try await self.store.read { try $0.login(emailKey: emailKey) }
            return try await self.passwords.verify(password, against: login?.passwordHash) ? login : nil
        } catch {
            self.throttle.giveBack(slot)
            throw error
        }
    }
}
