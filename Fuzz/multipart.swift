import Wire

// A form in parts. The first byte says where the bytes are cut.

private let contentType = "multipart/form-data; boundary=b"

private struct Part: Equatable {
    let head: MultipartPart
    var bytes: [UInt8] = []
    var isComplete = false
}

private struct Outcome: Equatable {
    var parts: [Part] = []
    var failure: MultipartFailure?
    /// Whether the body's end is the end that its boundaries announce.
    var isComplete = false
}

private func parse(_ pieces: [[UInt8]]) -> Outcome {
    var outcome = Outcome()
    do throws(MultipartFailure) {
        var parser = try MultipartParser(contentType: contentType)
        for piece in pieces {
            let events = try piece.withUnsafeBytes { bytes in
                Result { () throws(MultipartFailure) in try parser.parse(bytes) }
            }.get()
            for event in events { add(event, to: &outcome.parts) }
        }
        outcome.isComplete = (try? parser.finish()) != nil
    } catch {
        // How many events came before the failure depends on the pieces.
        outcome = Outcome(failure: error)
    }
    return outcome
}

private func add(_ event: MultipartParser.Event, to parts: inout [Part]) {
    switch event {
    case .partBegan(let head):
        require(parts.last?.isComplete ?? true, "a part begins after the one before has ended")
        parts.append(Part(head: head))
    case .bytes(let bytes):
        require(!bytes.isEmpty, "bytes are some bytes")
        require(parts.last.map { !$0.isComplete } ?? false, "bytes belong to a part")
        parts[parts.count - 1].bytes += bytes
    case .partEnded:
        require(parts.last.map { !$0.isComplete } ?? false, "a part ends once")
        parts[parts.count - 1].isComplete = true
    }
}

/// A name as a browser would write it; nil where no quoted text of a good length says it.
private func quoted(_ name: String) -> String? {
    let escapes = ["%22", "%0D", "%0A"].map { Array($0.utf8) }
    guard name.utf8.count < 1000, !escapes.contains(where: { Array(name.utf8).holds($0) }),
        name.utf8.allSatisfy({ $0 >= 0x20 && $0 < 0x7F || $0 == 0x0A || $0 == 0x0D || $0 == 0x09 })
    else { return nil }
    return name.utf8.map { byte -> String in
        switch byte {
        case UInt8(ascii: "\""): "%22"
        case 0x0D: "%0D"
        case 0x0A: "%0A"
        // Before another, it would be an escape.
        case UInt8(ascii: "\\"): "\\\\"
        default: String(UnicodeScalar(byte))
        }
    }.joined()
}

/// The same parts, written plainly; nil where a name has no plain form.
private func written(_ parts: [Part]) -> [UInt8]? {
    var bytes: [UInt8] = []
    for part in parts {
        guard let name = quoted(part.head.name), let fileName = quoted(part.head.fileName ?? "") else { return nil }
        bytes += "--b\r\nContent-Disposition: form-data; name=\"\(name)\"".utf8
        if part.head.fileName != nil { bytes += "; filename=\"\(fileName)\"".utf8 }
        bytes += "\r\n\r\n".utf8
        bytes += part.bytes
        bytes += "\r\n".utf8
    }
    return bytes + "--b--\r\n".utf8
}

@_cdecl("LLVMFuzzerTestOneInput")
public func testOneInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let input = input(start, count)
    guard let seed = input.first else { return 0 }
    let bytes = input.dropFirst()
    let whole = parse([Array(bytes)])
    require(whole == parse(pieces(of: bytes, seed: seed)), "a form is the same whole and in pieces")
    require(whole.parts.count <= MultipartParser.maxParts, "a form keeps its limit of parts")
    require(whole.parts.dropLast().allSatisfy(\.isComplete), "only the last part can lack its end")
    for part in whole.parts where part.isComplete {
        require(!part.bytes.holds(Array("\r\n--b".utf8)), "no part holds a delimiter")
    }
    guard whole.isComplete, let again = written(whole.parts) else { return 0 }
    require(parse([again]) == whole, "a form written plainly says the same")
    return 0
}

extension [UInt8] {
    /// Whether `pattern` stands anywhere in it.
    fileprivate func holds(_ pattern: [UInt8]) -> Bool {
        guard self.count >= pattern.count else { return false }
        return (0...(self.count - pattern.count)).contains { self[$0..<($0 + pattern.count)].elementsEqual(pattern) }
    }
}
