/// Signs for a connection, and remembers that it did: whoever loses the token loses the connection.
///
/// The connection is remembered before anything that was signed for it leaves. So a revocation either finds it and ends
/// it, or comes first, and then nothing is signed.
struct SocketGrants: Sendable {
    let store: TicketStore
    let now: @Sendable () -> Timestamp

    /// What `decide` says to the user as the user is now. It throws when the user may not have it, and must not write.
    ///
    /// Throws `unauthenticated` when the session has ended meanwhile.
    func callAsFunction<T: Sendable>(
        socketID: String, for session: Session, _ decide: @escaping @Sendable (Tables, User) throws -> T
    ) async throws -> T {
        let (grant, isRemembered) = try await self.store.read { tables in
            (
                try decide(tables, try tables.user(of: session)),
                try tables.hasLiveSocket(socketID, tokenID: session.tokenID)
            )
        }
        if isRemembered { return grant }
        let now = self.now()
        return try await self.store.write { tables in
            let grant = try decide(tables, try tables.user(of: session))
            try tables.insertLiveSocket(socketID, tokenID: session.tokenID, now: now)
            return grant
        }
    }
}

extension Tables {
    /// The user of a session that has not ended.
    fileprivate func user(of session: Session) throws -> User {
        guard let user = try self.token(session.tokenID)?.user else { throw TicketFailure.unauthenticated }
        return user
    }
}
