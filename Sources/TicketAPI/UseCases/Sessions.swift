/// Knows a caller by the token, and forgets the token at logout.
struct Sessions: Sendable {
    let store: TicketStore
    private let memory = SessionMemory()

    init(store: TicketStore) {
        self.store = store
    }

    /// The session that `text`, as in `Authorization: Bearer {text}`, stands for. Throws `unauthenticated`.
    func callAsFunction(_ text: String) async throws -> Session {
        guard let token = AccessToken.Presented(text),
            let known = try await self.store.lookUp({ try $0.token(token.id) }),
            token.matches(secretHash: known.secretHash)
        else { throw TicketFailure.unauthenticated }
        let session = Session(user: known.user, tokenID: token.id)
        self.memory.keep(session, secretHash: known.secretHash)
        return session
    }

    /// As above, for those who call `Tables.confirmed` in the transaction that does the work: the session may be over.
    func claimed(_ text: String) async throws -> Session {
        if let token = AccessToken.Presented(text), let session = self.memory.session(token) { return session }
        return try await self(text)
    }

    /// Ends this session; others of the same user live on.
    func logOut(_ session: Session) async throws {
        _ = try await self.store.write { try $0.revokeToken(session.tokenID, of: session.user.id) }
    }
}
