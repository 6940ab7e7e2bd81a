import Wire

// What a client sends after its handshake. The first byte says where the bytes are cut.

private enum Event: Equatable {
    case text([UInt8])
    case binary([UInt8])
    case ping([UInt8])
    case pong
    case close(UInt16?)

    init(_ event: WebSocketEvent) {
        switch event {
        case .text(let bytes): self = .text(Array(bytes))
        case .binary(let bytes): self = .binary(Array(bytes))
        case .ping(let bytes): self = .ping(Array(bytes))
        case .pong: self = .pong
        case .close(let code, _): self = .close(code)
        }
    }
}

private struct Outcome: Equatable {
    var events: [Event] = []
    var violation: WebSocketViolation?
    var missingBytes = 0
}

private let maxMessageBytes = 300

private func decode(_ pieces: [[UInt8]]) -> Outcome {
    var decoder = WebSocketDecoder(maxMessageBytes: maxMessageBytes, peer: .client)
    var outcome = Outcome()
    // Exactly as long as promised, so that the sanitizer sees a byte too many.
    let scratch = UnsafeMutableRawBufferPointer.allocate(byteCount: maxMessageBytes, alignment: 8)
    defer { scratch.deallocate() }
    for piece in pieces {
        do throws(WebSocketViolation) {
            try piece.withUnsafeBytes { bytes in
                Result { () throws(WebSocketViolation) in
                    try decoder.decode(bytes, scratch: scratch) { event in
                        outcome.events.append(Event(event))
                        return true
                    }
                }
            }.get()
        } catch {
            outcome.violation = error
            return outcome
        }
    }
    outcome.missingBytes = decoder.missingBytes
    return outcome
}

@_cdecl("LLVMFuzzerTestOneInput")
public func testOneInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let input = input(start, count)
    guard let seed = input.first else { return 0 }
    let whole = decode([Array(input.dropFirst())])
    require(whole == decode(pieces(of: input.dropFirst(), seed: seed)), "messages are the same whole and in pieces")
    for event in whole.events {
        switch event {
        case .text(let bytes):
            require(bytes.count <= maxMessageBytes, "a message keeps its limit")
            require(String(validating: bytes, as: UTF8.self) != nil, "a text is UTF-8")
        case .binary(let bytes): require(bytes.count <= maxMessageBytes, "a message keeps its limit")
        case .ping(let bytes): require(bytes.count <= 125, "a control frame is short")
        case .pong: break
        case .close(let code):
            require(
                code.map { (1000...4999).contains($0) && ![1004, 1005, 1006, 1015].contains($0) } ?? true,
                "a close code may travel")
        }
    }
    require(whole.missingBytes >= 0 && whole.missingBytes <= maxMessageBytes + 14, "a frame needs no more than a frame")
    if let violation = whole.violation {
        require([1002, 1007, 1009].contains(violation.closeCode), "a violation has its close code")
    }
    return 0
}
