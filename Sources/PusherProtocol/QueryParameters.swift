/// The parameters of a query string, percent-decoded, in the order of the URL, names in lower case.
///
/// A `+` stays a plus: the SDKs write it so and sign it so (8.3 of the protocol facts). Array forms are folded the
/// way PHP signs them: `name[]=a&name[]=b` and `name[0]=a&name[1]=b` become `name` with the value `a,b`. The elements
/// are kept as well: a comma may be part of one.
package struct QueryParameters: Sendable {
    /// How many a query may have. Folding compares every array element with what stands before it.
    package static let maxParameters = 128

    package private(set) var parameters: [(name: String, value: String)] = []
    private var elements: [(name: String, value: String)] = []

    /// Nil when an escape is malformed, what it decodes to is not UTF-8, or there are more than `maxParameters`.
    package init?(_ query: String) {
        var query = query
        let isWellFormed = query.withUTF8 { bytes in
            var rest = bytes[...]
            var count = 0
            self.parameters.reserveCapacity(8)
            while !rest.isEmpty {
                let pair = Self.cut(&rest, at: UInt8(ascii: "&"))
                guard !pair.isEmpty else { continue }
                count += 1
                guard count <= Self.maxParameters, self.append(pair) else { return false }
            }
            return true
        }
        guard isWellFormed else { return nil }
    }

    /// The value of the first parameter of that name, which is in lower case.
    package subscript(_ name: String) -> String? {
        self.parameters.first { $0.name == name }?.value
    }

    /// The elements of `name[]=…` or `name[0]=…`, in the order of the URL; nil when there are none.
    package func elements(of name: String) -> [String]? {
        let values = self.elements.lazy.filter { $0.name == name }.map(\.value)
        return values.isEmpty ? nil : Array(values)
    }

    /// The names of the parameters that neither sign the request nor are among `known`: each once, sorted.
    package func extraneous(besides known: [String]) -> [String] {
        let names = self.parameters.lazy.map(\.name).filter { name in
            !name.utf8.starts(with: "auth_".utf8) && name != "body_md5" && !known.contains(name)
        }
        return Set(names).sorted()
    }

    private typealias Bytes = Slice<UnsafeBufferPointer<UInt8>>

    /// Takes what stands before `separator` off the front of `bytes`, and the separator itself.
    private static func cut(_ bytes: inout Bytes, at separator: UInt8) -> Bytes {
        let end = bytes.firstIndex(of: separator) ?? bytes.endIndex
        let head = bytes[..<end]
        bytes = end == bytes.endIndex ? bytes[end...] : bytes[(end + 1)...]
        return head
    }

    private mutating func append(_ pair: Bytes) -> Bool {
        var value = pair
        let name = Self.cut(&value, at: UInt8(ascii: "="))
        guard let name = Self.decoded(name), let value = Self.decoded(value) else { return false }
        // Nearly every name is one already.
        let isPlain = name.utf8.allSatisfy { ($0 >= 97 && $0 <= 122) || $0 == UInt8(ascii: "_") }
        guard !isPlain else {
            self.parameters.append((name: name, value: value))
            return true
        }
        let (base, isElement) = Self.withoutIndex(name.lowercased())
        if isElement { self.elements.append((name: base, value: value)) }
        if isElement, let first = self.parameters.firstIndex(where: { $0.name == base }) {
            self.parameters[first].value += ",\(value)"
        } else {
            self.parameters.append((name: base, value: value))
        }
        return true
    }

    /// Decodes `%XX`; nil when an escape is malformed or the result is not UTF-8.
    package static func percentDecoded(_ text: String) -> String? {
        var text = text
        return text.withUTF8 { self.decoded($0[...]) }
    }

    private static func decoded(_ text: Bytes) -> String? {
        guard text.contains(UInt8(ascii: "%")) else {
            return String(decoding: UnsafeBufferPointer(rebasing: text), as: UTF8.self)
        }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.count)
        var rest = text
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
    private static func withoutIndex(_ name: String) -> (name: String, isElement: Bool) {
        guard name.hasSuffix("]"), let open = name.firstIndex(of: "["), open > name.startIndex,
            name[name.index(after: open)...].dropLast().utf8.allSatisfy({ $0 >= 48 && $0 <= 57 })
        else { return (name, false) }
        return (String(name[..<open]), true)
    }
}
