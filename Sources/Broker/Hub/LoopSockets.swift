import PusherProtocol

/// The WebSocket connections of one loop by their identifiers. Confined to its loop.
final class LoopSockets {
    private var connections: [SocketID: Connection] = [:]

    func insert(_ connection: Connection, as socketID: SocketID) {
        self.connections[socketID] = connection
    }

    func remove(_ socketID: SocketID) {
        self.connections[socketID] = nil
    }

    /// The connection if it is one of this app's clients. `app` is the app's number.
    func connection(_ socketID: SocketID, app: Int) -> Connection? {
        guard let connection = self.connections[socketID], case .webSocket(let session) = connection.state,
            session.app.hub.index == app
        else { return nil }
        return connection
    }
}
