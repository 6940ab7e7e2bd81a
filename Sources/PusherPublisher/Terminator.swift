/// Ends what was granted, through a Pusher-compatible server.
///
/// Each call returns whether the server did it; false: it would not, or has no such call. Each throws `unavailable` when the
/// same request is worth repeating later.
package protocol Terminator: Sendable {
    /// Closes connections, at most `Limits.socketsPerTermination`. `reconnecting`: the clients come back by themselves.
    func terminateConnections(_ sockets: [String], reconnecting: Bool) async throws(PublishFailure) -> Bool

    /// Ends all subscriptions to a channel; `channel` has no character that a path escapes.
    func terminateSubscriptions(to channel: String) async throws(PublishFailure) -> Bool

    /// Closes the connections that are signed in as a user.
    func terminateConnections(ofUser userID: Int64) async throws(PublishFailure) -> Bool

    /// Whether the server knows the app and takes our signature: what it then refuses, it will always refuse.
    func isAccepted() async throws(PublishFailure) -> Bool
}
