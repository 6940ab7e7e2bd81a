internal import HTTPTypes

extension HTTPFields {
    /// The first cookie of this name whose value `parse` takes.
    ///
    /// A request may have several: other sites of the same domain can set cookies of our name. Whatever has another form
    /// than `name=value` is passed over (RFC 6265 section 5.4 is what clients send, section 4.1.1 what they should).
    func cookie<T>(_ name: String, _ parse: (Substring) -> T?) -> T? {
        for field in self[values: .cookie] {
            for pair in field.utf8.split(separator: UInt8(ascii: ";")) {
                let halves = pair.split(separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
                guard halves.count == 2, Self.trimmed(halves[0]).elementsEqual(name.utf8) else { continue }
                if let value = parse(Substring(Self.unquoted(Self.trimmed(halves[1])))) { return value }
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
