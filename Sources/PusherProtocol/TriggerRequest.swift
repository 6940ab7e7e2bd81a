/// An HTTP API request that is refused: a status and the text of its body (8.2 of the protocol facts).
package struct RequestRejection: Error, Equatable, Sendable {
    package let status: Int
    package let message: String

    package init(status: Int, message: String) {
        self.status = status
        self.message = message
    }

    package static func badRequest(_ message: String) -> RequestRejection {
        RequestRejection(status: 400, message: message)
    }
}

/// One event to publish, decoded and checked (8.5 and 8.6 of the protocol facts).
package struct TriggerRequest: Equatable, Sendable {
    /// The name as a JSON string with its quotes, byte for byte as published.
    package var name: [UInt8]
    /// At least one; distinct, in the order they were named.
    package var channels: [ChannelName]
    /// The data as a JSON string with its quotes, byte for byte as published.
    package var data: [UInt8]
    /// The connection that does not get the event.
    package var excluded: SocketID?
    package var info: ChannelAttributes

    /// Reads the body of `POST /events`. `body` is valid UTF-8.
    package init(decoding body: UnsafeRawBufferPointer, limits: Limits) throws(RequestRejection) {
        try self.init(fields: try Fields(decoding: body), limits: limits)
    }

    /// Reads the body of `POST /batch_events`: every event is checked before the first is published (P137).
    package static func batch(
        decoding body: UnsafeRawBufferPointer, limits: Limits
    ) throws(RequestRejection) -> [TriggerRequest] {
        var batch: JSONSlice?
        var elements: [JSONSlice] = []
        do {
            try JSONReader.members(of: body) { name, value in
                if name == "batch" { batch = value }
            }
            if let batch, batch.kind == .array {
                // One too many is enough to refuse them all.
                try JSONReader.elements(of: batch.bytes) { element in
                    if elements.count <= limits.eventsPerBatch { elements.append(element) }
                }
            }
        } catch { throw .badRequest("Request body is not a JSON object") }
        guard batch?.kind == .array else { throw .badRequest("Expected batch parameter to be an array") }
        guard elements.count <= limits.eventsPerBatch else {
            throw .badRequest("Batch may hold at most \(limits.eventsPerBatch) events")
        }
        var requests: [TriggerRequest] = []
        requests.reserveCapacity(elements.count)
        for (index, element) in elements.enumerated() {
            do throws(RequestRejection) {
                let fields = try Fields(decoding: element.bytes)
                guard fields.channels == nil else {
                    throw .badRequest("An event of a batch has one channel, not channels")
                }
                requests.append(try TriggerRequest(fields: fields, limits: limits))
            } catch {
                throw RequestRejection(status: error.status, message: "batch[\(index)]: \(error.message)")
            }
        }
        return requests
    }

    /// The members of an event as they stand in its text.
    private struct Fields {
        var name: JSONSlice?
        var data: JSONSlice?
        var channel: JSONSlice?
        var channels: JSONSlice?
        var socketID: JSONSlice?
        var info: JSONSlice?

        init(decoding bytes: UnsafeRawBufferPointer) throws(RequestRejection) {
            var fields = Self()
            do {
                try JSONReader.members(of: bytes) { name, value in
                    switch name {
                    case "name": fields.name = value
                    case "data": fields.data = value
                    case "channel": fields.channel = value
                    case "channels": fields.channels = value
                    case "socket_id": fields.socketID = value
                    case "info": fields.info = value
                    default: break
                    }
                }
            } catch { throw .badRequest("Request body is not a JSON object") }
            self = fields
        }

        private init() {}
    }

    private init(fields: Fields, limits: Limits) throws(RequestRejection) {
        guard let name = fields.name, let decodedName = name.string else {
            throw .badRequest("Expected name parameter to be a string")
        }
        try Self.checkName(decodedName, limits: limits)
        guard let data = fields.data, data.kind == .string else {
            throw .badRequest("Expected data parameter to be a string")
        }
        guard data.decodedCount <= limits.eventData else {
            throw RequestRejection(
                status: 413,
                message: "The data content of this event exceeds the allowed maximum (\(limits.eventData) bytes)")
        }
        self.name = Array(name.bytes)
        self.data = Array(data.bytes)
        self.channels = try Self.channels(fields, limits: limits)
        self.excluded = try Self.excluded(fields.socketID)
        self.info = ChannelAttributes(fields.info?.string ?? "")
    }

    private static func checkName(_ name: String, limits: Limits) throws(RequestRejection) {
        guard !name.isEmpty else { throw .badRequest("Event name is empty") }
        // Bytes first: they are known, and there are at least as many.
        guard name.utf8.count <= limits.eventName || name.unicodeScalars.count <= limits.eventName else {
            throw .badRequest("Event name is over \(limits.eventName) characters")
        }
        guard !name.utf8.starts(with: "pusher:".utf8), !name.utf8.starts(with: "pusher_internal:".utf8) else {
            throw .badRequest("Event names beginning with pusher: and pusher_internal: are reserved")
        }
    }

    /// `channels` wins over `channel` when both are there.
    private static func channels(_ fields: Fields, limits: Limits) throws(RequestRejection) -> [ChannelName] {
        var names: [String?] = []
        if let list = fields.channels {
            guard list.kind == .array else { throw .badRequest("Expected channels parameter to be an array") }
            do {
                try JSONReader.elements(of: list.bytes) { name in
                    if names.count <= limits.channelsPerTrigger { names.append(name.string) }
                }
            } catch { throw .badRequest("Expected channels parameter to be an array") }
        } else if let channel = fields.channel {
            names.append(channel.string)
        }
        guard !names.isEmpty else { throw .badRequest("Expected channels parameter to name at least one channel") }
        // Counted as sent: a hundred and one times the same name is still over the limit (P129).
        guard names.count <= limits.channelsPerTrigger else {
            throw .badRequest("Event may be published to at most \(limits.channelsPerTrigger) channels")
        }
        var channels: [ChannelName] = []
        channels.reserveCapacity(names.count)
        for name in names {
            guard let name, let channel = ChannelName(name, limit: limits.channelName) else {
                throw .badRequest("Invalid channel name")
            }
            if !channels.contains(channel) { channels.append(channel) }
        }
        return channels
    }

    private static func excluded(_ value: JSONSlice?) throws(RequestRejection) -> SocketID? {
        guard let value, value.kind != .null else { return nil }
        switch value.string.flatMap(SocketID.Reference.init) {
        case .known(let socketID): return socketID
        case .foreign: return nil
        case nil: throw .badRequest("Invalid socket_id")
        }
    }
}
