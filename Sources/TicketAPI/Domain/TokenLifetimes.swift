/// What a row of tokens is for.
enum TokenKind: String, Sendable {
    /// A program shows it as `Authorization: Bearer …`.
    case token
    /// A browser keeps it in a cookie.
    case session
}

/// How long tokens and sessions live. Seconds; nil where time alone ends nothing.
package struct TokenLifetimes: Sendable {
    /// From a token's making, however much it is used.
    package var token: Int64?
    /// From a token's last use.
    package var idleToken: Int64?
    /// From a session's last use.
    package var idleSession: Int64

    /// As Laravel and Sanctum have them: tokens live until they are revoked, sessions until nobody used them for two hours.
    package init(token: Int64? = nil, idleToken: Int64? = nil, idleSession: Int64 = 120 * 60) {
        self.token = token
        self.idleToken = idleToken
        self.idleSession = idleSession
    }

    /// When it ends if nobody uses it any more; nil for never.
    func end(_ kind: TokenKind, createdAt: Timestamp, lastUsedAt: Timestamp?) -> Timestamp? {
        let (total, idle) = self.seconds(kind)
        let ends = [
            total.map { createdAt.advanced(bySeconds: $0) },
            idle.map { (lastUsedAt ?? createdAt).advanced(bySeconds: $0) },
        ]
        return ends.compactMap(\.self).min()
    }

    /// What was made, or last used, at these moments or before is over at `now`.
    func horizons(_ kind: TokenKind, now: Timestamp) -> (created: Timestamp, used: Timestamp) {
        let (total, idle) = self.seconds(kind)
        let never = Timestamp(microseconds: .min)
        return (
            created: total.map { now.advanced(bySeconds: -$0) } ?? never,
            used: idle.map { now.advanced(bySeconds: -$0) } ?? never
        )
    }

    private func seconds(_ kind: TokenKind) -> (total: Int64?, idle: Int64?) {
        switch kind {
        case .token: (self.token, self.idleToken)
        case .session: (nil, self.idleSession)
        }
    }
}
