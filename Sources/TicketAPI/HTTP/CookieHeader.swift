/// `Cookie` fields: `name=value` between semicolons (RFC 6265 section 5.4 is what clients send, section 4.1.1 what they
/// should).
enum CookieHeader {
    /// The first cookie of this name whose value `parse` takes.
    ///
    /// A request may have several: other sites of the same domain can set cookies of our name. Whatever has another form
    /// is passed over.
    static func first<T>(_ name: String, in fields: some Sequence<String>, _ parse: (Substring) -> T?) -> T? {
        for field in fields {
            for pair in field.utf8.split(separator: UInt8(ascii: ";")) {
                let halves = pair.split(separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
                guard halves.count == 2, self.trimmed(halves[0]).elementsEqual(name.utf8) else { continue }
                if let value = parse(Substring(self.unquoted(self.trimmed(halves[1])))) { return value }
            }
        }
        return nil
    }

    private static func trimmed(_ text: Substring.UTF8View) -> Substring.UTF8View {
        var text = text
        while text.first == UInt8(ascii: " ") || text.first == UInt8(ascii: "\t") { text.removeFirst() }
        while text.last == UInt8(ascii: " ") || text.last == UInt8(ascii: "\t") { text.removeLast() }
        return text
    }

    private static func unquoted(_ text: Substring.UTF8View) -> Substring.UTF8View {
        let quote = UInt8(ascii: "\"")
        guard text.count >= 2, text.first == quote, text.last == quote else { return text }
        return text.dropFirst().dropLast()
    }
}
