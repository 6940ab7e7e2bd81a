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
