internal import NIOHTTP1

extension HTTPEventPublisher: Terminator {
    /// An extension of Switchboard's (API-46).
    package func terminateConnections(_ sockets: [String], reconnecting: Bool) async throws(PublishFailure) -> Bool {
        let body: JSON = ["socket_ids": .array(sockets.map { .string($0) }), "reconnect": .bool(reconnecting)]
        return try await self.isDone(.POST, "/terminate_connections", body: body.bytes)
    }

    /// An extension of Switchboard's (API-49).
    package func terminateSubscriptions(to channel: String) async throws(PublishFailure) -> Bool {
        try await self.isDone(.POST, "/channels/\(channel)/terminate_subscriptions", body: Array("{}".utf8))
    }

    /// 8.10 of the protocol facts.
    package func terminateConnections(ofUser userID: Int64) async throws(PublishFailure) -> Bool {
        try await self.isDone(.POST, "/users/\(userID)/terminate_connections", body: Array("{}".utf8))
    }

    package func isAccepted() async throws(PublishFailure) -> Bool {
        try await self.isDone(.GET, "/channels", body: [])
    }

    private func isDone(_ method: HTTPMethod, _ path: String, body: [UInt8]) async throws(PublishFailure) -> Bool {
        let status = try await self.send(method, path, body: body)
        if status == 408 || status == 429 || (502...504).contains(status) { throw .unavailable("status \(status)") }
        return (200..<300).contains(status)
    }
}
