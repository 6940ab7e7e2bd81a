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

    /// Reads the body of `POST /events`, which is valid UTF-8. What it does not have may stand in the query (8.1); then
    /// there need not be a body. Body and query are those of a request whose signature was found right.
    package init(
        decoding body: UnsafeRawBufferPointer, query: QueryParameters, limits: Limits
    ) throws(RequestRejection) {
        let fields = body.isEmpty ? TriggerFields() : try TriggerFields(decoding: body)
        // Counted because it is quick. Without a body one more may hide behind the count, but three are needed then.
        guard query.count > RequestSignature.parameterCount else {
            try self.init(fields: fields, limits: limits)
            return
        }
        self = try TriggerFields.json(query).withUnsafeBytes { bytes in
            Result { () throws(RequestRejection) in
                try TriggerRequest(fields: fields.completed(by: try TriggerFields(decoding: bytes)), limits: limits)
            }
        }.get()
    }

    /// What the deprecated `POST /channels/{channel}/events` asks for: the body is the data, the rest stands in the
    /// query (8.11). `body` is valid UTF-8.
    package init(
        decoding body: UnsafeRawBufferPointer, to channel: ChannelName, query: QueryParameters, limits: Limits
    ) throws(RequestRejection) {
        guard let name = query["name"] else { throw .badRequest("Expected name parameter to be a string") }
        try Self.checkName(name, limits: limits)
        try Self.checkData(count: body.count, limits: limits)
        var (nameJSON, dataJSON) = (JSONWriter(), JSONWriter(reserving: body.count + 16))
        nameJSON.string(name)
        dataJSON.string(body)
        self.name = nameJSON.bytes
        self.data = dataJSON.bytes
        self.channels = [channel]
        self.excluded = if let socketID = query["socket_id"] { try Self.excluded(socketID) } else { nil }
        self.info = []
    }

    /// Reads the body of `POST /batch_events`: every event is checked before the first is published (P137).
    package static func batch(
        decoding body: UnsafeRawBufferPointer, limits: Limits
    ) throws(RequestRejection) -> [TriggerRequest] {
        let batch: Batch?
        do {
            batch = try JSONReader.read(body) { (reader) throws(JSONFailure) in
                try Batch(reading: &reader, limit: limits.eventsPerBatch)
            }
        } catch { throw .badRequest("Request body is not a JSON object") }
        guard let batch else { throw .badRequest("Expected batch parameter to be an array") }
        guard !batch.isOverLimit else {
            throw .badRequest("Batch may hold at most \(limits.eventsPerBatch) events")
        }
        var requests: [TriggerRequest] = []
        requests.reserveCapacity(batch.events.count)
        for (index, fields) in batch.events.enumerated() {
            do throws(RequestRejection) {
                guard let fields else { throw .badRequest("Request body is not a JSON object") }
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

    /// The events of a batch as they stand in its JSON.
    private struct Batch {
        /// nil for one that is no object.
        var events: [TriggerFields?] = []
        var isOverLimit = false

        /// Reads the object at hand; nil when its `batch`, of which the last counts, is no array.
        init?(reading reader: inout JSONReader, limit: Int) throws(JSONFailure) {
            var batch: Batch?
            try reader.readMembers { (name, reader) throws(JSONFailure) in
                guard name == "batch" else {
                    _ = try reader.readValue()
                    return
                }
                batch = try Batch(readingList: &reader, limit: limit)
            }
            guard let batch else { return nil }
            self = batch
        }

        private init?(readingList reader: inout JSONReader, limit: Int) throws(JSONFailure) {
            guard reader.isAtArray else {
                _ = try reader.readValue()
                return nil
            }
            var events: [TriggerFields?] = []
            var isOverLimit = false
            events.reserveCapacity(limit)
            try reader.readElements { (reader) throws(JSONFailure) in
                guard events.count < limit, reader.isAtObject else {
                    isOverLimit = isOverLimit || events.count == limit
                    _ = try reader.readValue()
                    if !isOverLimit { events.append(nil) }
                    return
                }
                events.append(try TriggerFields(reading: &reader))
            }
            self.events = events
            self.isOverLimit = isOverLimit
        }
    }

    private init(fields: TriggerFields, limits: Limits) throws(RequestRejection) {
        guard let name = fields.name, name.kind == .string else {
            throw .badRequest("Expected name parameter to be a string")
        }
        try Self.checkName(name, limits: limits)
        guard let data = fields.data, data.kind == .string else {
            throw .badRequest("Expected data parameter to be a string")
        }
        try Self.checkData(count: data.decodedCount, limits: limits)
        self.name = Array(name.bytes)
        self.data = Array(data.bytes)
        self.channels = try Self.channels(fields, limits: limits)
        self.excluded = try Self.excluded(fields.socketID)
        self.info =
            fields.info.map {
                ChannelAttributes($0.string ?? "", keeping: [.userCount, .subscriptionCount])
            } ?? []
    }

    private static func checkData(count: Int, limits: Limits) throws(RequestRejection) {
        guard count <= limits.eventData else {
            throw RequestRejection(
                status: 413,
                message: "The data content of this event exceeds the allowed maximum (\(limits.eventData) bytes)."
                    + " Publish where to fetch it instead.")
        }
    }

    private static func checkName(_ name: JSONSlice, limits: Limits) throws(RequestRejection) {
        // A plain name that is short and does not begin like a reserved one.
        let bytes = name.inside
        if !name.hasEscapes, bytes.count <= limits.eventName, let first = bytes.first, first != UInt8(ascii: "p") {
            return
        }
        try self.checkName(name.string ?? "", limits: limits)
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
    private static func channels(_ fields: TriggerFields, limits: Limits) throws(RequestRejection) -> [ChannelName] {
        guard let list = fields.channels else {
            guard let channel = fields.channel else {
                throw .badRequest("Expected channels parameter to name at least one channel")
            }
            return [try self.channel(channel, limits: limits)]
        }
        var names: [JSONSlice] = []
        guard list.kind == .array else { throw .badRequest("Expected channels parameter to be an array") }
        do {
            try JSONReader.elements(of: list.bytes) { name in
                if names.count <= limits.channelsPerTrigger { names.append(name) }
            }
        } catch { throw .badRequest("Expected channels parameter to be an array") }
        guard !names.isEmpty else { throw .badRequest("Expected channels parameter to name at least one channel") }
        // Counted as sent: a hundred and one times the same name is still over the limit (P129).
        guard names.count <= limits.channelsPerTrigger else {
            throw .badRequest("Event may be published to at most \(limits.channelsPerTrigger) channels")
        }
        var channels: [ChannelName] = []
        channels.reserveCapacity(names.count)
        var known: Set<ChannelName> = []
        for name in names {
            let channel = try self.channel(name, limits: limits)
            if names.count == 1 || known.insert(channel).inserted { channels.append(channel) }
        }
        return channels
    }

    private static func channel(_ name: JSONSlice, limits: Limits) throws(RequestRejection) -> ChannelName {
        let channel =
            name.kind == .string && !name.hasEscapes
            ? ChannelName(name.inside, limit: limits.channelName)
            : name.string.flatMap { ChannelName($0, limit: limits.channelName) }
        guard let channel else { throw .badRequest("Invalid channel name") }
        return channel
    }

    private static func excluded(_ value: JSONSlice?) throws(RequestRejection) -> SocketID? {
        guard let value, value.kind != .null else { return nil }
        guard let text = value.string else { throw .badRequest("Invalid socket_id") }
        return try self.excluded(text)
    }

    private static func excluded(_ text: String) throws(RequestRejection) -> SocketID? {
        switch SocketID.Reference(text) {
        case .known(let socketID): return socketID
        case .foreign: return nil
        case nil: throw .badRequest("Invalid socket_id")
        }
    }
}
