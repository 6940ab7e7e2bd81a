/// Gives an account another password, and ends whatever was opened with the old one.
struct ChangePassword: Sendable {
    let store: TicketStore
    let passwords: PasswordHasher
    let throttle: LoginThrottle
    let now: @Sendable () -> Timestamp

    /// All other tokens and all sessions end. The token that asks lives on; instead of a session that asks there is a new
    /// one, which is returned.
    ///
    /// `current` is guessed no faster than at a login: the two share their slots. Throws `throttled`, `overloaded`, or
    /// `invalid` when it is wrong.
    func callAsFunction(
        from current: String, to new: String, by session: Session, address: String, renewal: AccessToken.Wish
    ) async throws -> AccessToken? {
        let user = session.user
        let key = EmailAddress.key(user.email)
        let slot = try self.throttle.take(email: key, address: address, now: self.now())
        guard let oldHash = try await self.verified(current, emailKey: key, slot: slot) else { throw Self.incorrect }
        self.throttle.giveBack(slot)

        let newHash = try await self.passwords.hash(new)
        let secret = try AccessToken.Secret()
        let now = self.now()
        return try await self.store.write { tables in
            _ = try tables.confirmed(session)
            // Somebody else may have changed it meanwhile, and then may have done so to lock this caller out.
            guard try tables.changePassword(of: user.id, from: oldHash, to: newHash) else { throw Self.incorrect }
            switch session.kind {
            case .token:
                try tables.revokeTokens(of: user.id, except: session.tokenID)
                return nil
            case .session:
                try tables.revokeTokens(of: user.id)
                return try tables.openToken(renewal, secret: secret, for: user.id, now: now)
            }
        }
    }

    private static let incorrect = TicketFailure.invalid(
        ValidationErrors("current_password", "The password is incorrect."))

    /// The account's hash if the password is its own. An attempt that could not be judged does not count.
    private func verified(_ password: String, emailKey: String, slot: LoginThrottle.Slot) async throws -> String? {
        do {
            let hash = try await self.store.read { try $0.login(emailKey: emailKey)?.passwordHash }
            return try await self.passwords.verify(password, against: hash) ? hash : nil
        } catch {
            self.throttle.giveBack(slot)
            throw error
        }
    }
}
