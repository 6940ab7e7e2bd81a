import Glibc

/// The parameters of a query string, percent-decoded, in the order of the URL, names in lower case.
///
/// A `+` stays a plus: the SDKs write it so and sign it so (8.3 of the protocol facts). Array forms are folded the
/// way PHP signs them: `name[]=a&name[]=b` and `name[0]=a&name[1]=b` become `name` with the value `a,b`. The elements
/// are kept as well: a comma may be part of one.
package struct QueryParameters: Sendable {
    /// How many a query may have. Folding compares every array element with what stands before it.
    package static let maxParameters = 128

    /// A parameter; the ranges are those of its name and its value in `text`.
    private struct Parameter {
        let name: Range<Int>
        var value: Range<Int>
    }

    /// The names and values, one behind the other.
    private var text: [UInt8] = []
    private var list: [Parameter] = []
    private var elements: [(name: String, value: String)] = []

    /// Nil when an escape is malformed, what it decodes to is not UTF-8, or there are more than `maxParameters`.
    package init?(_ query: String) {
        var query = query
        let isWellFormed = query.withUTF8 { bytes in
            var rest = bytes[...]
            var count = 0
            self.text.reserveCapacity(bytes.count)
            self.list.reserveCapacity(8)
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

    package var count: Int { self.list.count }

    package var parameters: [(name: String, value: String)] {
        self.list.map { (name: self.string($0.name), value: self.string($0.value)) }
    }

    private func string(_ range: Range<Int>) -> String { String(decoding: self.text[range], as: UTF8.self) }

    /// The value of the first parameter of that name, which is in lower case.
    package subscript(_ name: String) -> String? {
        var name = name
        return name.withUTF8 { name in
            self.list.first { self.matches($0.name, UnsafeRawBufferPointer(name)) }.map { self.string($0.value) }
        }
    }

    private func matches(_ range: Range<Int>, _ bytes: UnsafeRawBufferPointer) -> Bool {
        range.count == bytes.count
            && self.text.withUnsafeBytes { text in
                guard let text = text.baseAddress, let bytes = bytes.baseAddress else { return range.isEmpty }
                return memcmp(text + range.lowerBound, bytes, range.count) == 0
            }
    }

    /// Calls `body` with the value of the first parameter of that name, as UTF-8; with nil when there is none.
    func withValue<Result>(of name: StaticString, _ body: (UnsafeRawBufferPointer?) -> Result) -> Result {
        let name = UnsafeRawBufferPointer(start: name.utf8Start, count: name.utf8CodeUnitCount)
        guard let parameter = self.list.first(where: { self.matches($0.name, name) }) else { return body(nil) }
        return self.text.withUnsafeBytes { body(UnsafeRawBufferPointer(rebasing: $0[parameter.value])) }
    }

    /// Calls `body` with the string that a request of these parameters signs (`RequestSignature.stringToSign`).
    func withStringToSign<Result>(
        method: String, path: String, _ body: (UnsafeRawBufferPointer) -> Result
    ) -> Result {
        var signed: [UInt8] = []
        signed.reserveCapacity(method.utf8.count + path.utf8.count + self.text.count + 2 * self.list.count + 2)
        signed.append(contentsOf: method.utf8)
        signed.append(UInt8(ascii: "\n"))
        signed.append(contentsOf: path.utf8)
        signed.append(UInt8(ascii: "\n"))
        var isFirst = true
        self.text.withUnsafeBytes { text in
            for parameter in self.signed(text) where !self.isSignature(parameter) {
                if !isFirst { signed.append(UInt8(ascii: "&")) }
                isFirst = false
                signed.append(contentsOf: UnsafeRawBufferPointer(rebasing: text[parameter.name]))
                signed.append(UInt8(ascii: "="))
                signed.append(contentsOf: UnsafeRawBufferPointer(rebasing: text[parameter.value]))
            }
        }
        return signed.withUnsafeBytes(body)
    }

    private func isSignature(_ parameter: Parameter) -> Bool {
        let name: StaticString = "auth_signature"
        return self.matches(
            parameter.name, UnsafeRawBufferPointer(start: name.utf8Start, count: name.utf8CodeUnitCount))
    }

    /// By name, as they are signed; where the signature stands among them, which is not signed, does not matter. The SDKs
    /// send them in this order.
    private func signed(_ text: UnsafeRawBufferPointer) -> [Parameter] {
        func precedes(_ a: Parameter, _ b: Parameter) -> Bool {
            let (a, b) = (
                UnsafeRawBufferPointer(rebasing: text[a.name]), UnsafeRawBufferPointer(rebasing: text[b.name])
            )
            guard let first = a.baseAddress, let second = b.baseAddress else { return a.count < b.count }
            let order = memcmp(first, second, min(a.count, b.count))
            return order < 0 || (order == 0 && a.count < b.count)
        }
        var last: Parameter?
        for parameter in self.list where !self.isSignature(parameter) {
            if let last, precedes(parameter, last) { return self.list.sorted(by: precedes) }
            last = parameter
        }
        return self.list
    }

    /// The elements of `name[]=…` or `name[0]=…`, in the order of the URL; nil when there are none.
    package func elements(of name: String) -> [String]? {
        let values = self.elements.lazy.filter { $0.name == name }.map(\.value)
        return values.isEmpty ? nil : Array(values)
    }

    /// The names of the parameters that neither sign the request nor are among `known`: each once, sorted.
    package func extraneous(besides known: [String]) -> [String] {
        let names = self.list.lazy.map { self.string($0.name) }.filter { name in
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
        // Nearly every name is one already.
        let isPlain = name.allSatisfy { ($0 >= 97 && $0 <= 122) || ($0 >= 48 && $0 <= 57) || $0 == UInt8(ascii: "_") }
        guard !isPlain else {
            let nameRange = self.store(name)
            guard let valueRange = self.storeDecoded(value) else { return false }
            self.list.append(Parameter(name: nameRange, value: valueRange))
            return true
        }
        guard let name = Self.decoded(name), let value = Self.decoded(value) else { return false }
        let (base, isElement) = Self.withoutIndex(name.lowercased())
        if isElement { self.elements.append((name: base, value: value)) }
        if isElement, let first = self.list.firstIndex(where: { self.string($0.name) == base }) {
            let folded = self.string(self.list[first].value) + ",\(value)"
            self.list[first].value = self.store(folded.utf8)
        } else {
            self.list.append(Parameter(name: self.store(base.utf8), value: self.store(value.utf8)))
        }
        return true
    }

    private mutating func store(_ bytes: some Collection<UInt8>) -> Range<Int> {
        let start = self.text.count
        self.text.append(contentsOf: bytes)
        return start..<self.text.count
    }

    private mutating func storeDecoded(_ bytes: Bytes) -> Range<Int>? {
        guard bytes.contains(UInt8(ascii: "%")) else { return self.store(bytes) }
        return Self.decoded(bytes).map { self.store($0.utf8) }
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
