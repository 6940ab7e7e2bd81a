internal import FoundationEssentials
internal import GRDB

/// A token as its owner sees it.
struct ListedToken: Sendable {
    let id: Int64
    let kind: TokenKind
    let name: String
    let createdAt: Timestamp
    let lastUsedAt: Timestamp?
}

extension Tables {
    /// Makes what was wished for, and ends the session in whose place it comes.
    func openToken(_ wish: AccessToken.Wish, secret: AccessToken.Secret, for userID: Int64, now: Timestamp) throws
        -> AccessToken
    {
        if let old = wish.replacing, let known = try self.token(old.id), old.isRight(known.token) {
            _ = try self.revokeToken(old.id, of: known.user.id)
        }
        let id = try self.insert(
            "INSERT INTO tokens (user_id, kind, name, secret_sha256, created_at) VALUES (?, ?, ?, ?, ?)",
            [userID, wish.kind.rawValue, wish.name, Data(secret.hash), now.microseconds])
        return AccessToken(id: id, kind: wish.kind, secret: secret)
    }

    func token(_ id: Int64) throws -> (user: User, token: StoredToken)? {
        try self.row(
            """
            SELECT u.id, u.name, u.email, u.role, u.created_at,
                t.id, t.kind, t.secret_sha256, t.created_at, t.last_used_at
            FROM tokens t JOIN users u ON u.id = t.user_id WHERE t.id = ?
            """, [id]
        ) { row in
            (
                user: User(row: row),
                token: StoredToken(
                    id: row[5], kind: TokenKind(column: row[6]), secretHash: [UInt8](row[7] as Data),
                    createdAt: Timestamp(microseconds: row[8]), lastUsedAt: Timestamp(column: row[9]))
            )
        }
    }

    /// A page of what this user has and what is not too old, the newest first, and how many there are.
    func tokens(
        of userID: Int64, _ lifetimes: TokenLifetimes, now: Timestamp, _ page: PageRequest
    ) throws -> (page: [ListedToken], total: Int64) {
        let (token, session) = (lifetimes.horizons(.token, now: now), lifetimes.horizons(.session, now: now))
        let condition = """
            user_id = ? AND created_at > CASE kind WHEN 'token' THEN ? ELSE ? END
            AND coalesce(last_used_at, created_at) > CASE kind WHEN 'token' THEN ? ELSE ? END
            """
        let arguments: StatementArguments = [
            userID, token.created.microseconds, session.created.microseconds, token.used.microseconds,
            session.used.microseconds,
        ]
        let total = try self.row("SELECT count(*) FROM tokens WHERE \(condition)", arguments) { $0[0] as Int64 }
        let tokens = try self.rows(
            """
            SELECT id, kind, name, created_at, last_used_at FROM tokens
            WHERE \(condition) ORDER BY id DESC LIMIT ? OFFSET ?
            """, arguments + [page.perPage, page.offset]
        ) { row in
            ListedToken(
                id: row[0], kind: TokenKind(column: row[1]), name: row[2],
                createdAt: Timestamp(microseconds: row[3]), lastUsedAt: Timestamp(column: row[4]))
        }
        return (tokens, total ?? 0)
    }

    /// Writes when tokens were last used: of each at most once a minute.
    func noteUses(_ uses: [Int64: Timestamp]) throws {
        for (id, usedAt) in uses {
            try self.run(
                "UPDATE tokens SET last_used_at = ? WHERE id = ? AND (last_used_at IS NULL OR last_used_at <= ?)",
                [usedAt.microseconds, id, usedAt.advanced(bySeconds: -TokenKeeper.noteSeconds).microseconds])
        }
    }

    /// Some of the tokens and sessions that are too old.
    func oldTokens(_ lifetimes: TokenLifetimes, now: Timestamp, limit: Int64) throws -> [(id: Int64, userID: Int64)] {
        var old: [(id: Int64, userID: Int64)] = []
        for kind in [TokenKind.token, .session] {
            let horizons = lifetimes.horizons(kind, now: now)
            for (moment, horizon) in [
                ("created_at", horizons.created), ("coalesce(last_used_at, created_at)", horizons.used),
            ] {
                old += try self.rows(
                    "SELECT id, user_id FROM tokens WHERE kind = ? AND \(moment) <= ? LIMIT ?",
                    [kind.rawValue, horizon.microseconds, limit]
                ) { (id: $0[0], userID: $0[1]) }
            }
        }
        return old
    }

    /// A key of this installation.
    func key(_ purpose: String) throws -> [UInt8]? {
        try self.row("SELECT key FROM keys WHERE purpose = ?", [purpose]) { [UInt8]($0[0] as Data) }
    }
}

extension TokenKind {
    /// The schema allows no other words.
    fileprivate init(column: String) {
        self = TokenKind(rawValue: column) ?? .token
    }
}

extension Timestamp {
    fileprivate init?(column: Int64?) {
        guard let column else { return nil }
        self.init(microseconds: column)
    }
}
