internal import Synchronization

/// Sessions that were looked up once, by their tokens.
///
/// What is remembered may be over: it says who a caller claims to be, and `Tables.confirmed` says whether that holds. A
/// token's number is never used twice and its secret never changes, so no more than its row need be asked for.
final class SessionMemory: Sendable {
    /// Some 5 MB.
    private static let capacity = 10_000

    private let sessions = Mutex<[Int64: (session: Session, secretHash: [UInt8])]>([:])

    func session(_ token: AccessToken.Presented) -> Session? {
        guard let known = self.sessions.withLock({ $0[token.id] }), token.matches(secretHash: known.secretHash) else {
            return nil
        }
        return known.session
    }

    func keep(_ session: Session, secretHash: [UInt8]) {
        self.sessions.withLock { sessions in
            // Whoever is still there is soon known again.
            if sessions.count >= Self.capacity { sessions.removeAll() }
            sessions[session.tokenID] = (session, secretHash)
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
