/// What the head of a part says (RFC 7578 section 4).
package struct MultipartPart: Equatable, Sendable {
    /// The name of the form's field.
    package let name: String
    /// The name of a file on the sender's disk, as it was sent; nil when the part is a plain field, empty when a file
    /// could have been chosen and was not. Not to be trusted with a path.
    package let fileName: String?

    /// - Parameter head: the lines of the head, the empty one included.
    init(head: [UInt8]) throws(MultipartFailure) {
        var disposition: ParameterizedValue?
        for (name, value) in try Self.fields(head) {
            switch name {
            case "content-disposition":
                guard disposition == nil, let parsed = ParameterizedValue(value) else {
                    throw MultipartFailure("a part's Content-Disposition is malformed")
                }
                disposition = parsed
            case "content-transfer-encoding":
                // RFC 7578 section 4.7: obsolete. Of the encodings, those that change nothing are taken.
                guard ["7bit", "8bit", "binary"].contains(lowered(value)) else {
                    throw MultipartFailure("a part has a Content-Transfer-Encoding")
                }
            default: break
            }
        }
        guard let disposition, disposition.value == "form-data", let name = disposition["name"] else {
            throw MultipartFailure("a part has no Content-Disposition with a name")
        }
        self.name = Self.text(name)
        let plain = disposition["filename"].map(Self.text)
        let extended = disposition["filename*"].map(Self.extendedText)
        guard extended == nil || extended != .some(nil) || plain != nil else {
            throw MultipartFailure("a part's filename* is malformed")
        }
        self.fileName = (extended ?? nil) ?? plain
    }

    /// The fields in their order, with names in lower case.
    private static func fields(_ head: [UInt8]) throws(MultipartFailure) -> [(name: String, value: [UInt8])] {
        var fields: [(name: String, value: [UInt8])] = []
        var rest = head[...]
        while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
            let line = rest[..<end]
            rest = rest[(end + 1)...]
            guard line.last == UInt8(ascii: "\r") else { throw MultipartFailure("a line does not end in CR LF") }
            if line.count == 1 { break }
            // A line that begins with a blank would continue the one before it: no token begins so.
            guard let colon = line.firstIndex(of: UInt8(ascii: ":")), colon > line.startIndex,
                line[..<colon].allSatisfy(HTTPCharacters.isToken),
                line[(colon + 1)...].dropLast().allSatisfy(Self.isFieldValue)
            else { throw MultipartFailure("a part's header is malformed") }
            fields.append((lowered(line[..<colon]), trimmed(line[(colon + 1)...].dropLast())))
        }
        return fields
    }

    /// Browsers send a file's name with the control characters that are in it; of those, RFC 9110 section 5.5 has three
    /// refused. An LF cannot be here.
    private static func isFieldValue(_ byte: UInt8) -> Bool { byte != 0 && byte != UInt8(ascii: "\r") }

    /// A parameter as browsers write it: a quotation mark, CR and LF are escaped by `%` (WHATWG HTML, multipart/form-data
    /// encoding). Bytes that are not UTF-8 become U+FFFD.
    private static func text(_ value: [UInt8]) -> String {
        var bytes: [UInt8] = []
        var index = 0
        while index < value.count {
            let escape = value[index...].prefix(3)
            if let byte = Self.escapes.first(where: { $0.text.utf8.elementsEqual(escape) })?.byte {
                bytes.append(byte)
                index += 3
            } else {
                bytes.append(value[index])
                index += 1
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static let escapes: [(text: String, byte: UInt8)] = [("%22", 0x22), ("%0D", 0x0D), ("%0A", 0x0A)]

    /// A parameter of RFC 8187: `UTF-8'language'percent-encoded`; nil when it is none.
    private static func extendedText(_ value: [UInt8]) -> String? {
        let parts = value.split(separator: UInt8(ascii: "'"), maxSplits: 2, omittingEmptySubsequences: false)
        guard parts.count == 3, lowered(parts[0]) == "utf-8" else { return nil }
        var bytes: [UInt8] = []
        var rest = parts[2]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            guard let high = rest.popFirst().flatMap(hexValue), let low = rest.popFirst().flatMap(hexValue) else {
                return nil
            }
            bytes.append(high << 4 | low)
        }
        return String(validating: bytes, as: UTF8.self)
    }
}

/// A value with parameters, as in `form-data; name="x"` (RFC 2045 section 5.1, as browsers and libraries write it).
struct ParameterizedValue {
    /// In lower case.
    let value: String
    private var parameters: [String: [UInt8]] = [:]

    /// Nil when it is malformed or names a parameter twice.
    init?(_ bytes: [UInt8]) {
        var rest = bytes[...]
        self.value = lowered(trimmed(rest.prefix { $0 != UInt8(ascii: ";") }))
        rest = rest.drop { $0 != UInt8(ascii: ";") }
        while rest.popFirst() != nil {
            rest = rest.drop(while: HTTPCharacters.isBlank)
            // A semicolon at the end says nothing.
            if rest.isEmpty { return }
            let name = lowered(rest.prefix(while: HTTPCharacters.isToken))
            rest = rest.drop(while: HTTPCharacters.isToken)
            guard !name.isEmpty, self.parameters[name] == nil, rest.popFirst() == UInt8(ascii: "="),
                let value = Self.takeValue(from: &rest)
            else { return nil }
            self.parameters[name] = value
            rest = rest.drop(while: HTTPCharacters.isBlank)
            guard rest.isEmpty || rest.first == UInt8(ascii: ";") else { return nil }
        }
    }

    /// The parameter of this name, which is in lower case.
    subscript(_ name: String) -> [UInt8]? { self.parameters[name] }

    /// Up to the next semicolon, or between quotation marks. There, a backslash escapes a quotation mark and itself and
    /// is plain elsewhere: some browsers sent whole paths of Windows.
    private static func takeValue(from rest: inout ArraySlice<UInt8>) -> [UInt8]? {
        guard rest.first == UInt8(ascii: "\"") else {
            let value = rest.prefix { $0 != UInt8(ascii: ";") }
            rest = rest.dropFirst(value.count)
            return trimmed(value)
        }
        rest.removeFirst()
        var value: [UInt8] = []
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "\"") { return value }
            if byte == UInt8(ascii: "\\"), let next = rest.first, next == UInt8(ascii: "\"") || next == byte {
                value.append(next)
                rest.removeFirst()
            } else {
                value.append(byte)
            }
        }
        return nil
    }
}

/// With A to Z in lower case, and no other letter changed.
private func lowered(_ bytes: some Sequence<UInt8>) -> String {
    String(
        decoding: bytes.map { (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains($0) ? $0 | 0x20 : $0 }, as: UTF8.self)
}

/// Without blanks at both ends.
private func trimmed(_ bytes: ArraySlice<UInt8>) -> [UInt8] {
    var bytes = bytes.drop(while: HTTPCharacters.isBlank)
    while let last = bytes.last, HTTPCharacters.isBlank(last) { bytes.removeLast() }
    return Array(bytes)
}

private func hexValue(_ byte: UInt8) -> UInt8? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
    default: nil
    }
}
