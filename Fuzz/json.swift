import PusherProtocol
import Wire

// A message of a client: JSON, and what a frame is made of it.

private func isJSON(_ text: String) -> Bool {
    // The failure says nothing but that there is one.
    (try? Array(text.utf8).withUnsafeBytes { try JSONReader.value(of: $0).kind }) != nil
}

/// Walks all of a value: what a string says has the length that it was said to have.
private func walk(_ value: JSONSlice) {
    switch value.kind {
    case .string: require(value.string?.utf8.count == value.decodedCount, "a string has its decoded length")
    case .array:
        do { try JSONReader.elements(of: value.bytes) { walk($0) } } catch { fatalError("an array has elements") }
    case .object:
        do { try JSONReader.members(of: value.bytes) { walk($1) } } catch { fatalError("an object has members") }
    case .number, .boolean, .null: break
    }
}

private func checkFrame(_ frame: ClientFrame) {
    guard case .clientEvent(let event) = frame, let channel = ChannelName("private-a", limit: 164) else { return }
    require(event.name.utf8.starts(with: "client-".utf8), "a client event has its prefix")
    event.data.withUnsafeBytes { bytes in
        guard let data = try? JSONReader.value(of: bytes), data.kind == .string else {
            fatalError("a client event's data is a JSON string")
        }
        require(data.decodedCount == event.dataCount, "a client event's data has its length")
    }
    var name = JSONWriter()
    name.string(event.name)
    let sent = ServerFrame.event(name: name.bytes, channel: channel, data: event.data, userID: event.channel)
    require(FoundationJSON.accepts(String(decoding: sent, as: UTF8.self)), "a relayed event is JSON")
}

@_cdecl("LLVMFuzzerTestOneInput")
public func testOneInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let bytes = input(start, count)
    let text = String(validating: bytes, as: UTF8.self)
    require(bytes.withUnsafeBytes { UTF8Validation.isValid($0) } == (text != nil), "UTF-8 is judged rightly")
    guard let text else { return 0 }

    // Foundation allows more levels.
    if bytes.count(where: { $0 | 0x20 == UInt8(ascii: "{") }) <= JSONReader.maxDepth {
        require(isJSON(text) == FoundationJSON.accepts(text), "JSON is judged as Foundation judges it")
    } else if isJSON(text) {
        require(FoundationJSON.accepts(text), "deep JSON is JSON to Foundation")
    }
    bytes.withUnsafeBytes { bytes in
        if let value = try? JSONReader.value(of: bytes) { walk(value) }
        if let frame = try? ClientFrame(decoding: bytes) { checkFrame(frame) }
    }

    var writer = JSONWriter()
    writer.string(text)
    let isReadBack = writer.bytes.withUnsafeBytes { written in
        guard let value = try? JSONReader.value(of: written), let string = value.string else { return false }
        return string.utf8.elementsEqual(bytes) && value.decodedCount == bytes.count
    }
    require(isReadBack, "what is written is read back")
    return 0
}
