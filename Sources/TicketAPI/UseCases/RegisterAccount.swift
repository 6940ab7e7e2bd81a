/// Makes a customer's account and its first token or session.
struct RegisterAccount: Sendable {
    let store: TicketStore
    let passwords: PasswordHasher
    let now: @Sendable () -> Timestamp

    /// Whether an account has this address, in any case of its letters.
    func isTaken(email: String) async throws -> Bool {
        let key = EmailAddress.key(email)
        return try await self.store.read { try $0.hasUser(emailKey: key) }
    }

    /// The fields are checked; the address is checked again in the transaction that takes it.
    func callAsFunction(
        name: String, email: String, password: String, wish: AccessToken.Wish
    ) async throws -> (token: AccessToken, user: User) {
        let account = NewAccount(
            name: name, email: email, role: .customer, passwordHash: try await self.passwords.hash(password))
        let secret = try AccessToken.Secret()
        let now = self.now()
        return try await self.store.write { tables in
            let user = try tables.insertUser(account, now: now)
            return (try tables.openToken(wish, secret: secret, for: user.id, now: now), user)
        }
    }
}
