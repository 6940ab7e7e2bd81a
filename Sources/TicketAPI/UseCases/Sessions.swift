/// Knows a caller by a token or a session, shows an account's, and ends them.
struct Sessions: Sendable {
    let store: TicketStore
    let lifetimes: TokenLifetimes
    let keeper: TokenKeeper
    let now: @Sendable () -> Timestamp

    /// The session that a token stands for. Throws `unauthenticated`.
    func callAsFunction(_ presented: AccessToken.Presented?) async throws -> Session {
        guard let presented, let known = try await self.store.read({ try $0.token(presented.id) }),
            presented.isRight(known.token)
        else { throw TicketFailure.unauthenticated }
        let (token, now) = (known.token, self.now())
        let end = self.lifetimes.end(token.kind, createdAt: token.createdAt, lastUsedAt: token.lastUsedAt)
        guard end.map({ now < $0 }) ?? true else {
            self.keeper.sweep()
            throw TicketFailure.unauthenticated
        }
        self.keeper.noteUse(of: token, at: now)
        return Session(user: known.user, tokenID: token.id, kind: token.kind)
    }

    /// Ends this session; others of the same user live on.
    func logOut(_ session: Session) async throws {
        _ = try await self.store.write { try $0.revokeToken(session.tokenID, of: session.user.id) }
    }

    /// What the caller could be asking by, the newest first.
    func list(of user: User, limit: Int64, offset: Int64) async throws -> (page: [ListedToken], total: Int64) {
        let (lifetimes, now) = (self.lifetimes, self.now())
        return try await self.store.read { tables in
            try tables.tokens(of: user.id, lifetimes, now: now, limit: limit, offset: offset)
        }
    }

    /// Ends one of the caller's own. Throws `tokenNotFound`.
    func end(_ tokenID: Int64, of user: User) async throws {
        try await self.store.write { tables in
            guard try tables.revokeToken(tokenID, of: user.id) else { throw TicketFailure.tokenNotFound }
        }
    }
}
