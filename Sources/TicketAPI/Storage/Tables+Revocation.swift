internal import GRDB

// Taking access away. What a token authorised ends with it: each of these also ends the live connections concerned.
extension Tables {
    /// Ends one token of this user; false when the user has no such token.
    func revokeToken(_ id: Int64, of userID: Int64) throws -> Bool {
        try self.endSockets(
            try self.takeSockets("token_id IN (SELECT id FROM tokens WHERE id = ? AND user_id = ?)", [id, userID]))
        try self.run("DELETE FROM tokens WHERE id = ? AND user_id = ?", [id, userID])
        return self.db.changesCount > 0
    }

    /// Ends all tokens and sessions of this user but one.
    func revokeTokens(of userID: Int64, except kept: Int64? = nil) throws {
        let sockets = try self.takeSockets(
            "token_id IN (SELECT id FROM tokens WHERE user_id = ? AND id IS NOT ?)", [userID, kept])
        try self.endSockets(sockets, ofUser: userID)
        try self.run("DELETE FROM tokens WHERE user_id = ? AND id IS NOT ?", [userID, kept])
    }

    /// Ends all live connections of this user, who may see other things from now on. The tokens live, and the clients
    /// come back with new connections.
    func disconnect(userID: Int64) throws {
        let sockets = try self.takeSockets("token_id IN (SELECT id FROM tokens WHERE user_id = ?)", [userID])
        try self.endSockets(sockets, ofUser: userID, reconnecting: true)
    }

    /// Ends everybody's subscriptions to what is said of a ticket.
    func endSubscriptions(ofTicket id: Int64) throws {
        try self.insertTermination(
            sockets: [], channels: [TicketChannel.chat(id).name, TicketChannel.chatPresence(id).name],
            reconnects: false, userID: nil)
    }
}
