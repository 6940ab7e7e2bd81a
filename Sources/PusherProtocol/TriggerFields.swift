/// The members of an event as they stand in its JSON, whose bytes they borrow; not checked yet.
struct TriggerFields {
    var name: JSONSlice?
    var data: JSONSlice?
    var channel: JSONSlice?
    var channels: JSONSlice?
    var socketID: JSONSlice?
    var info: JSONSlice?

    init() {}

    init(decoding bytes: UnsafeRawBufferPointer) throws(RequestRejection) {
        do {
            self = try JSONReader.read(bytes) { (reader) throws(JSONFailure) in try TriggerFields(reading: &reader) }
        } catch { throw .badRequest("Request body is not a JSON object") }
    }

    /// Reads the object at hand.
    init(reading reader: inout JSONReader) throws(JSONFailure) {
        var fields = Self()
        try reader.readMembers { (name, reader) throws(JSONFailure) in
            let value = try reader.readValue()
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
        self = fields
    }

    /// These members, and of the others those that are missing.
    func completed(by others: TriggerFields) -> TriggerFields {
        var fields = self
        if self.channel == nil, self.channels == nil {
            fields.channel = others.channel
            fields.channels = others.channels
        }
        fields.name = self.name ?? others.name
        fields.data = self.data ?? others.data
        fields.socketID = self.socketID ?? others.socketID
        fields.info = self.info ?? others.info
        return fields
    }

    /// The parameters of a query that could be members of a body, written as a body (8.1 of the protocol facts).
    static func json(_ query: QueryParameters) -> [UInt8] {
        var writer = JSONWriter()
        writer.literal("{")
        var isFirst = true
        for name in ["name", "data", "channel", "channels", "socket_id", "info"] {
            guard let value = query[name] else { continue }
            if !isFirst { writer.literal(",") }
            isFirst = false
            writer.string(name)
            writer.literal(":")
            if name == "channels", let elements = query.elements(of: name) {
                writer.strings(elements)
            } else {
                writer.string(value)
            }
        }
        writer.literal("}")
        return writer.bytes
    }
}

extension JSONWriter {
    /// A list of strings.
    fileprivate mutating func strings(_ elements: [String]) {
        self.literal("[")
        for (index, element) in elements.enumerated() {
            if index > 0 { self.literal(",") }
            self.string(element)
        }
        self.literal("]")
    }
}
