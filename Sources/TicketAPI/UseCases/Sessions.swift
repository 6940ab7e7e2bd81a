/// Knows a caller by a token or a session, shows an account's, and ends them.
struct Sessions: Sendable {
    let store: TicketStore
    let lifetimes: TokenLifetimes
    let keeper: TokenKeeper
    let now: @Sendable () -> Timestamp

    private let memory = SessionMemory()

    init(store: TicketStore, lifetimes: TokenLifetimes, keeper: TokenKeeper, now: @escaping @Sendable () -> Timestamp) {
        self.store = store
        self.lifetimes = lifetimes
        self.keeper = keeper
        self.now = now
    }

    /// As below, for those who call `Tables.confirmed` in the transaction that does the work: the token may be gone.
    func claimed(_ presented: AccessToken.Presented?) async throws -> Session {
        if let presented, let known = self.memory[presented.id], presented.isRight(known.token),
            self.isInTime(known.token), !self.keeper.isDue(known.token, at: self.now())
        {
            return known.session
        }
        return try await self(presented)
    }

    /// The session that a token stands for. Throws `unauthenticated`.
    func callAsFunction(_ presented: AccessToken.Presented?) async throws -> Session {
        guard let presented, let known = try await self.store.lookUp({ try $0.token(presented.id) }),
            presented.isRight(known.token)
        else { throw TicketFailure.unauthenticated }
        let token = known.token
        guard self.isInTime(token) else {
            self.keeper.sweep()
            throw TicketFailure.unauthenticated
        }
        self.keeper.noteUse(of: token, at: self.now())
        let session = Session(user: known.user, tokenID: token.id, kind: token.kind)
        self.memory.keep(session, token)
        return session
    }

    private func isInTime(_ token: StoredToken) -> Bool {
        let end = self.lifetimes.end(token.kind, createdAt: token.createdAt, lastUsedAt: token.lastUsedAt)
        return end.map { self.now() < $0 } ?? true
    }

    /// Ends this session; others of the same user live on.
    func logOut(_ session: Session) async throws {
        _ = try await self.store.write { try $0.revokeToken(session.tokenID, of: session.user.id) }
    }

    /// What the caller could be asking by, the newest first.
    func list(of user: User, _ page: PageRequest) async throws -> (page: [ListedToken], total: Int64) {
        let (lifetimes, now) = (self.lifetimes, self.now())
        return try await self.store.read { tables in
            try tables.tokens(of: user.id, lifetimes, now: now, page)
        }
    }

    /// Ends one of the caller's own. Throws `tokenNotFound`.
    func end(_ tokenID: Int64, by session: Session) async throws {
        try await self.store.write { tables in
            let user = try tables.confirmed(session)
            guard try tables.revokeToken(tokenID, of: user.id) else { throw TicketFailure.tokenNotFound }
        }
    }
}
