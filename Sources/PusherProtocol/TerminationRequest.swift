/// Which connections are to be closed, decoded and checked.
package struct TerminationRequest: Equatable, Sendable {
    package var sockets: Set<SocketID>
    /// Whether the clients are to come back: what they may see has changed, not that they may see something.
    package var reconnects: Bool

    /// Reads `{"socket_ids":["1.2",…],"reconnect":false}`, which is valid UTF-8. An id that no connection of ours can
    /// have is passed over.
    package init(decoding body: UnsafeRawBufferPointer, limits: Limits) throws(RequestRejection) {
        var list: JSONSlice?
        var reconnect: JSONSlice?
        do {
            try JSONReader.members(of: body) { name, value in
                switch name {
                case "socket_ids": list = value
                case "reconnect": reconnect = value
                default: break
                }
            }
        } catch { throw .badRequest("Request body is not a JSON object") }
        self.sockets = try Self.sockets(list, limits: limits)
        switch (reconnect?.kind, reconnect?.bytes.first) {
        case (nil, _), (.null, _): self.reconnects = false
        case (.boolean, let first): self.reconnects = first == UInt8(ascii: "t")
        default: throw .badRequest("Expected reconnect parameter to be true or false")
        }
    }

    private static func sockets(_ list: JSONSlice?, limits: Limits) throws(RequestRejection) -> Set<SocketID> {
        var texts: [String?] = []
        do {
            guard let list, list.kind == .array else { throw JSONFailure() }
            // One too many is enough to refuse them all.
            try JSONReader.elements(of: list.bytes) { element in
                if texts.count <= limits.socketsPerTermination { texts.append(element.string) }
            }
        } catch { throw .badRequest("Expected socket_ids parameter to be an array") }
        guard texts.count <= limits.socketsPerTermination else {
            throw .badRequest("At most \(limits.socketsPerTermination) connections may be terminated at once")
        }
        var sockets: Set<SocketID> = []
        for text in texts {
            switch text.flatMap(SocketID.Reference.init) {
            case .known(let socketID)?: sockets.insert(socketID)
            case .foreign?: break
            case nil: throw .badRequest("Invalid socket_id")
            }
        }
        return sockets
    }
}
