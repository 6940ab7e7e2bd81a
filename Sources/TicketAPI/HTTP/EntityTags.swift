internal import HTTPTypes
internal import Hummingbird

// `ETag` and `If-Match` (RFC 9110, 8.8.3 and 13.1.1). A GET is never answered 304: what depends on the reader, as the
// number of unread messages, changes without the tag.

extension Ticket {
    /// The header with the ticket's strong tag.
    var entityTag: HTTPFields { [.eTag: "\"\(self.version)\""] }
}

extension Call {
    /// The states that `If-Match` allows; any without it. A header that is no list of tags allows none, and neither
    /// does a weak tag, so that nothing is changed by mistake.
    var expectedVersion: ExpectedVersion {
        let fields = self.request.headers[values: .ifMatch]
        return fields.isEmpty ? .any : ExpectedVersion(ifMatch: fields.joined(separator: ","))
    }
}

extension ExpectedVersion {
    /// `"*"`, or tags between commas. Empty members are skipped, as in every list of HTTP.
    init(ifMatch text: String) {
        var rest = Substring(text)
        func skipBlanks() { rest = rest.drop { $0 == " " || $0 == "\t" } }
        var tags: [String] = []
        skipBlanks()
        if rest.first == "*" {
            rest.removeFirst()
            skipBlanks()
            self = rest.isEmpty ? .any : .oneOf([])
            return
        }
        while !rest.isEmpty {
            if rest.first != "," {
                let isWeak = rest.hasPrefix("W/")
                if isWeak { rest.removeFirst(2) }
                guard rest.first == "\"", let end = rest.dropFirst().firstIndex(of: "\"") else {
                    self = .oneOf([])
                    return
                }
                if !isWeak { tags.append(String(rest[rest.index(after: rest.startIndex)..<end])) }
                rest = rest[rest.index(after: end)...]
                skipBlanks()
            }
            guard rest.isEmpty || rest.first == "," else {
                self = .oneOf([])
                return
            }
            rest = rest.dropFirst()
            skipBlanks()
        }
        self = .oneOf(tags)
    }
}
