internal import Synchronization

/// Sessions that were looked up once, by their tokens.
///
/// What is remembered may be over: it says who a caller claims to be, and `Tables.confirmed` says whether that holds. A
/// token's number is never used twice and its secret never changes, so no more than its row need be asked for.
final class SessionMemory: Sendable {
    /// Some 5 MB.
    private static let capacity = 10_000

    private let sessions = Mutex<[Int64: (session: Session, token: StoredToken)]>([:])

    /// The session by the token's number. Whoever asks compares the secret.
    subscript(_ tokenID: Int64) -> (session: Session, token: StoredToken)? {
        self.sessions.withLock { $0[tokenID] }
    }

    func keep(_ session: Session, _ token: StoredToken) {
        self.sessions.withLock { sessions in
            // Whoever is still there is soon known again.
            if sessions.count >= Self.capacity { sessions.removeAll() }
            sessions[token.id] = (session, token)
        }
    }
}

extension Tables {
    /// The account of a session as it is now. Throws `unauthenticated` when the session's token is gone.
    func confirmed(_ session: Session) throws -> User {
        guard let known = try self.token(session.tokenID) else { throw TicketFailure.unauthenticated }
        return known.user
    }
}
