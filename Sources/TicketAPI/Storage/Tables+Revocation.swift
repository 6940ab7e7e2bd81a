internal import GRDB

// Taking access away. What a token authorised ends with it: each of these also ends the live connections concerned.
extension Tables {
    /// Ends one token of this user; false when the user has no such token.
    func revokeToken(_ id: Int64, of userID: Int64) throws -> Bool {
        try self.run("DELETE FROM tokens WHERE id = ? AND user_id = ?", [id, userID])
        return self.db.changesCount > 0
    }

    /// Ends all tokens and sessions of this user but one.
    func revokeTokens(of userID: Int64, except kept: Int64? = nil) throws {
        try self.run("DELETE FROM tokens WHERE user_id = ? AND id IS NOT ?", [userID, kept])
    }

    /// Ends the live connections of a user who keeps the tokens.
    func disconnect(userID: Int64) throws {
        try self.run("DELETE FROM live_sockets WHERE token_id IN (SELECT id FROM tokens WHERE user_id = ?)", [userID])
    }
}
