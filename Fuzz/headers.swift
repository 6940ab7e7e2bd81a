// Header fields of the ticket API's requests: Range, If-Match, Cookie, Origin, and tokens.

private func checkRange(_ text: String) {
    for size in [1, 2, 1000, Int64.max] {
        guard case .part(let range) = ByteRange(text, size: size) else { continue }
        require(!range.isEmpty && range.lowerBound >= 0 && range.upperBound <= size, "a range lies within its file")
    }
}

private func checkTags(_ text: String) {
    guard case .oneOf(let tags) = ExpectedVersion(ifMatch: text) else {
        require(text.contains("*"), "only a star allows any state")
        return
    }
    for tag in tags {
        require(text.contains("\"\(tag)\""), "a tag is one that was sent")
        require(ExpectedVersion(ifMatch: "\"\(tag)\"") == .oneOf([tag]), "a tag alone is that tag")
    }
}

private func checkCookies(_ text: String) {
    let found = CookieHeader.first("name", in: [text]) { String($0) }
    if let found { require(!found.utf8.contains(UInt8(ascii: ";")), "a cookie ends at a semicolon") }
    require(
        CookieHeader.first("name", in: [text, "other=1; name=\"mine\""]) { String($0) } == found ?? "mine",
        "the first cookie of the name counts")
    if let cookie = SessionCookie(text) {
        require(cookie.text.utf8.elementsEqual(text.utf8), "a session is what was sent")
        require(text.utf8.count >= AccessToken.Secret.length, "a session has a secret")
    }
}

private func checkToken(_ text: String) {
    guard let token = AccessToken.Presented(text, as: .token) else { return }
    let stored = StoredToken(
        id: token.id, kind: .token, secretHash: Array(repeating: 0, count: 32),
        createdAt: Timestamp(microseconds: 0), lastUsedAt: nil)
    require(!token.isRight(stored), "no forgery passes")
}

@_cdecl("LLVMFuzzerTestOneInput")
public func testOneInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    guard let text = String(validating: input(start, count), as: UTF8.self) else { return 0 }
    checkRange(text)
    checkTags(text)
    checkCookies(text)
    checkToken(text)
    if let origin = WebOrigin(text) {
        require(WebOrigin(origin.description) == origin, "an origin is read as it is written")
        require(origin.description.utf8.count <= 7 + 253 + 7, "an origin keeps its limit")
    }
    return 0
}
