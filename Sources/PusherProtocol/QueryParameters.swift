/// The parameters of a query string, percent-decoded, in the order of the URL, names in lower case.
///
/// A `+` stays a plus: the SDKs write it so and sign it so (8.3 of the protocol facts). Array forms are folded the
/// way PHP signs them: `name[]=a&name[]=b` and `name[0]=a&name[1]=b` become `name` with the value `a,b`.
package struct QueryParameters: Sendable {
    /// How many a query may have. Folding compares every array element with what stands before it.
    package static let maxParameters = 100

    package let parameters: [(name: String, value: String)]

    /// Nil when an escape is malformed, what it decodes to is not UTF-8, or there are more than `maxParameters`.
    package init?(_ query: String) {
        var parameters: [(name: String, value: String)] = []
        let pairs = query.utf8.split(separator: UInt8(ascii: "&"))
        guard pairs.count <= Self.maxParameters else { return nil }
        for pair in pairs {
            let equals = pair.firstIndex(of: UInt8(ascii: "=")) ?? pair.endIndex
            let rawValue = equals == pair.endIndex ? pair[equals...] : pair[pair.index(after: equals)...]
            guard let name = Self.percentDecoded(Substring(pair[..<equals])),
                let value = Self.percentDecoded(Substring(rawValue))
            else { return nil }
            let folded = Self.withoutIndex(name.lowercased())
            if folded.isArray, let first = parameters.firstIndex(where: { $0.name == folded.name }) {
                parameters[first].value += ",\(value)"
            } else {
                parameters.append((name: folded.name, value: value))
            }
        }
        self.parameters = parameters
    }

    /// The value of the first parameter of that name, which is in lower case.
    package subscript(_ name: String) -> String? {
        self.parameters.first { $0.name == name }?.value
    }

    /// Decodes `%XX`; nil when an escape is malformed or the result is not UTF-8.
    package static func percentDecoded(_ text: some StringProtocol) -> String? {
        guard text.utf8.contains(UInt8(ascii: "%")) else { return String(text) }
        var bytes: [UInt8] = []
        var rest = text.utf8[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            guard let high = rest.popFirst().flatMap(HexDigit.value), let low = rest.popFirst().flatMap(HexDigit.value)
            else { return nil }
            bytes.append(high << 4 | low)
        }
        return String(validating: bytes, as: UTF8.self)
    }

    /// `info[]` and `info[0]` are elements of `info`.
    private static func withoutIndex(_ name: String) -> (name: String, isArray: Bool) {
        guard name.hasSuffix("]"), let open = name.firstIndex(of: "["), open > name.startIndex,
            name[name.index(after: open)...].dropLast().utf8.allSatisfy({ $0 >= 48 && $0 <= 57 })
        else { return (name, false) }
        return (String(name[..<open]), true)
    }
}
