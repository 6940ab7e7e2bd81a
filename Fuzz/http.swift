import Wire

// A request as it comes off the wire: a head, then a body. The first byte says where the bytes are cut.

private enum Outcome<Value: Equatable>: Equatable {
    case value(Value)
    case failure(status: Int)
}

private func outcome<Value>(_ body: () throws(HTTPRequestFailure) -> Value) -> Outcome<Value> {
    do throws(HTTPRequestFailure) {
        return .value(try body())
    } catch {
        return .failure(status: error.status)
    }
}

private func headLength(_ pieces: [[UInt8]]) -> Outcome<Int?> {
    var received: [UInt8] = []
    var searched = 0
    for piece in pieces {
        received += piece
        let found = received.withUnsafeBytes { bytes in
            outcome { () throws(HTTPRequestFailure) in try HTTPRequestHead.length(in: bytes, searched: searched) }
        }
        guard found == .value(nil) else { return found }
        searched = received.count
    }
    return .value(nil)
}

private struct Body: Equatable {
    var bytes: [UInt8] = []
    var taken = 0
    var isDone = false
}

private func body(_ pieces: [[UInt8]], maxBytes: Int) -> Outcome<Body> {
    outcome { () throws(HTTPRequestFailure) in
        var decoder = ChunkedBody(maxBytes: maxBytes)
        var body = Body()
        for piece in pieces {
            body.taken += try piece.withUnsafeBytes { bytes in
                Result { () throws(HTTPRequestFailure) in try decoder.decode(bytes, appendingTo: &body.bytes) }
            }.get()
        }
        body.isDone = decoder.isDone
        return body
    }
}

/// What no accepted head may hold, looked for without the parser: it is what request smuggling is made of.
private func checkStrictness(_ head: ArraySlice<UInt8>) {
    var lengths = 0
    var codings = 0
    for line in head.dropLast(4).split(separator: 0x0A, omittingEmptySubsequences: false) {
        let text = line.last == 0x0D ? line.dropLast() : line
        require(text.allSatisfy { $0 >= 0x20 && $0 != 0x7F || $0 == 0x09 }, "no control characters in a head")
        require(text.first != 0x20 && text.first != 0x09, "no continued lines in a head")
        let name = text.prefix { $0 != UInt8(ascii: ":") }.map { (65...90).contains($0) ? $0 | 0x20 : $0 }
        require(name.last != 0x20 && name.last != 0x09, "no blank before a colon")
        if name.elementsEqual("content-length".utf8) { lengths += 1 }
        if name.elementsEqual("transfer-encoding".utf8) { codings += 1 }
    }
    require(lengths + codings <= 1, "at most one way to delimit a body")
}

private func checkHead(_ bytes: ArraySlice<UInt8>) -> HTTPRequestHead? {
    let parsed = Array(bytes).withUnsafeBytes { bytes in
        outcome { () throws(HTTPRequestFailure) in try HTTPRequestHead(parsing: bytes) }
    }
    guard case .value(let head) = parsed else { return nil }
    checkStrictness(bytes)
    require(head.path.utf8.first == UInt8(ascii: "/"), "a path begins with a slash")

    // What was understood, written plainly, is understood again.
    let target = head.query.isEmpty ? head.path : "\(head.path)?\(head.query)"
    let plain = Array("\(head.method) \(target) HTTP/1.1\r\nHost: a\r\n\r\n".utf8)
    guard plain.count <= HTTPRequestHead.maxBytes else { return head }
    let again = plain.withUnsafeBytes { bytes in
        outcome { () throws(HTTPRequestFailure) in try HTTPRequestHead(parsing: bytes) }
    }
    guard case .value(let second) = again else { fatalError("a plain head is refused") }
    require(
        second.method == head.method && second.path == head.path && second.query == head.query,
        "a plain head says the same")
    return head
}

@_cdecl("LLVMFuzzerTestOneInput")
public func testOneInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let input = input(start, count)
    guard let seed = input.first else { return 0 }
    let bytes = input.dropFirst()
    let length = headLength([Array(bytes)])
    let lengthInPieces = headLength(pieces(of: bytes, seed: seed))
    if case .failure = length {
        // In pieces the end may be refused earlier, never found.
        require(length == lengthInPieces, "a head is refused whole and in pieces alike")
        return 0
    }
    require(length == lengthInPieces, "a head ends at the same place whole and in pieces")
    guard case .value(let end?) = length else { return 0 }
    require(bytes.prefix(end).suffix(4).elementsEqual("\r\n\r\n".utf8), "a head ends in an empty line")
    guard let head = checkHead(bytes.prefix(end)), head.body == .chunked else { return 0 }

    let rest = bytes.dropFirst(end)
    let maxBytes = 64
    let whole = body([Array(rest)], maxBytes: maxBytes)
    require(whole == body(pieces(of: rest, seed: seed), maxBytes: maxBytes), "a body is the same whole and in pieces")
    if case .value(let body) = whole {
        require(body.bytes.count <= maxBytes, "a body keeps its limit")
        require(body.isDone || body.taken == rest.count, "an unfinished body takes all there is")
        if body.isDone { require(rest.prefix(body.taken).last == 0x0A, "a body ends in a line feed") }
    }
    return 0
}
