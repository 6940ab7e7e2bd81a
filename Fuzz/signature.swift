import Digests
import PusherProtocol

// A path, a question mark, a query: what an HTTP API request is signed over.

private let credentials = AppCredentials(
    id: "4711", key: "f3c1a90b7d2e4586aa10", secret: AppSecret("b7e2d94c1f60835ae4d2"))
private let now: Int64 = 1_700_000_000

private func isAccepted(path: String, query: QueryParameters) -> Bool {
    // The refusal's text is made too: it may not trap.
    do throws(RequestSignature.Refusal) {
        _ = try RequestSignature.verify(method: "GET", path: path, query: query, now: now, credentials: credentials)
        return true
    } catch {
        require(!error.description.isEmpty, "a refusal says why")
        return false
    }
}

/// Signed by hand, the same parameters are accepted; with one more they are not. Five are added, so there must be room.
private func checkSigned(path: String, text: String, query: QueryParameters) {
    guard !query.parameters.contains(where: { $0.name.hasPrefix("auth_") }),
        text.utf8.count(where: { $0 == UInt8(ascii: "&") }) < QueryParameters.maxParameters - 5
    else { return }
    let separator = text.isEmpty ? "" : "&"
    let unsigned = "\(text)\(separator)auth_key=\(credentials.key)&auth_timestamp=\(now)&auth_version=1.0"
    guard let parameters = QueryParameters(unsigned)?.parameters else { fatalError("a well-formed query stays one") }
    let toSign = RequestSignature.stringToSign(method: "GET", path: path, parameters: parameters)
    let signature = credentials.secret.sign(toSign).hex
    guard let signed = QueryParameters("auth_signature=\(signature)&\(unsigned)"),
        let longer = QueryParameters("\(unsigned)&auth_signature=\(signature)&zz_more=1")
    else { fatalError("a well-formed query stays one") }
    require(isAccepted(path: path, query: signed), "what is signed rightly is accepted")
    require(!isAccepted(path: path, query: longer), "a signature holds for its parameters only")
    require(!isAccepted(path: path + "/", query: signed), "a signature holds for its path only")
}

@_cdecl("LLVMFuzzerTestOneInput")
public func testOneInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let bytes = input(start, count)
    guard let text = String(validating: bytes, as: UTF8.self) else { return 0 }
    let mark = text.utf8.firstIndex(of: UInt8(ascii: "?")) ?? text.utf8.endIndex
    let path = String(text[..<mark])
    let rest = mark == text.utf8.endIndex ? "" : String(text[text.utf8.index(after: mark)...])

    let escaped = bytes.map { byte in
        let digits = String(byte, radix: 16)
        return digits.count == 1 ? "%0\(digits)" : "%\(digits)"
    }.joined()
    require(
        QueryParameters.percentDecoded(escaped).map { $0.utf8.elementsEqual(bytes) } == true,
        "what is escaped byte by byte is decoded to the same")
    if let decoded = QueryParameters.percentDecoded(text) {
        require(decoded.utf8.count <= bytes.count, "decoding does not lengthen")
    }
    require(
        (try? ChannelSignature.verify(text, signs: "1.1:private-a", credentials: credentials)) == nil,
        "no forgery passes")
    if let reference = SocketID.Reference(text), case .known(let socketID) = reference {
        require("\(socketID)".utf8.elementsEqual(bytes), "a known socket id is written in one way")
    }

    guard let query = QueryParameters(rest) else { return 0 }
    for (name, _) in query.parameters {
        guard let elements = query.elements(of: name), let folded = query[name] else { continue }
        require(folded.utf8.reversed().starts(with: (elements.last ?? "").utf8.reversed()), "what is signed ends with an array's last element")
        require(
            folded.utf8.count >= elements.joined(separator: ",").utf8.count, "no element is left out of what is signed")
    }
    if isAccepted(path: path, query: query) {
        // Only the vectors in the corpus are signed rightly.
        require(query["auth_key"] == credentials.key && query["auth_signature"]?.utf8.count == 64, "no forgery passes")
    }
    checkSigned(path: path, text: rest, query: query)
    return 0
}
