/// A JSON value to be written. Members keep the order in which they were given, so a text is always the same text.
package enum JSON: Sendable, ExpressibleByDictionaryLiteral, ExpressibleByArrayLiteral, ExpressibleByStringLiteral,
    ExpressibleByNilLiteral, ExpressibleByBooleanLiteral
{
    case null
    case bool(Bool)
    case int(Int64)
    case string(String)
    case array([JSON])
    case object([(name: String, value: JSON)])
    /// A JSON text as it is.
    case written(String)

    package init(dictionaryLiteral elements: (String, JSON)...) {
        self = .object(elements.map { (name: $0.0, value: $0.1) })
    }
    package init(arrayLiteral elements: JSON...) { self = .array(elements) }
    package init(stringLiteral value: String) { self = .string(value) }
    package init(nilLiteral: ()) { self = .null }
    package init(booleanLiteral value: Bool) { self = .bool(value) }

    package static func optional(_ value: String?) -> JSON { value.map { .string($0) } ?? .null }
    package static func optional(_ value: Int64?) -> JSON { value.map { .int($0) } ?? .null }

    /// The compact JSON text.
    package var text: String { String(decoding: self.bytes, as: UTF8.self) }

    /// The compact JSON text in UTF-8.
    package var bytes: [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(512)
        self.write(to: &bytes)
        return bytes
    }

    /// The JSON text in UTF-8 for people: a line for each value, and a newline at the end.
    package var prettyBytes: [UInt8] {
        var bytes: [UInt8] = []
        self.write(to: &bytes, indentedBy: 0)
        return bytes + [UInt8(ascii: "\n")]
    }

    /// `indentation`: the spaces before the line on which the value begins; nil for compact text.
    private func write(to bytes: inout [UInt8], indentedBy indentation: Int? = nil) {
        let inner = indentation.map { $0 + 2 }
        switch self {
        case .null: bytes.append(contentsOf: "null".utf8)
        case .bool(let value): bytes.append(contentsOf: (value ? "true" : "false").utf8)
        case .int(let value): bytes.append(contentsOf: String(value).utf8)
        case .string(let value): Self.write(value, to: &bytes)
        case .array(let values):
            bytes.append(UInt8(ascii: "["))
            for (index, value) in values.enumerated() {
                if index > 0 { bytes.append(UInt8(ascii: ",")) }
                Self.breakLine(inner, &bytes)
                value.write(to: &bytes, indentedBy: inner)
            }
            if !values.isEmpty { Self.breakLine(indentation, &bytes) }
            bytes.append(UInt8(ascii: "]"))
        case .object(let members):
            bytes.append(UInt8(ascii: "{"))
            for (index, member) in members.enumerated() {
                if index > 0 { bytes.append(UInt8(ascii: ",")) }
                Self.breakLine(inner, &bytes)
                Self.write(member.name, to: &bytes)
                bytes.append(contentsOf: (inner == nil ? ":" : ": ").utf8)
                member.value.write(to: &bytes, indentedBy: inner)
            }
            if !members.isEmpty { Self.breakLine(indentation, &bytes) }
            bytes.append(UInt8(ascii: "}"))
        case .written(let text): bytes.append(contentsOf: text.utf8)
        }
    }

    private static func breakLine(_ indentation: Int?, _ bytes: inout [UInt8]) {
        guard let indentation else { return }
        bytes.append(UInt8(ascii: "\n"))
        bytes.append(contentsOf: repeatElement(UInt8(ascii: " "), count: indentation))
    }

    private static func write(_ text: String, to bytes: inout [UInt8]) {
        bytes.append(UInt8(ascii: "\""))
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"): bytes += [UInt8(ascii: "\\"), byte]
            case 0x0a: bytes.append(contentsOf: #"\n"#.utf8)
            case 0x0d: bytes.append(contentsOf: #"\r"#.utf8)
            case 0x09: bytes.append(contentsOf: #"\t"#.utf8)
            case 0..<0x20:
                let digits = Array("0123456789abcdef".utf8)
                bytes.append(contentsOf: #"\u00"#.utf8)
                bytes += [digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            default: bytes.append(byte)
            }
        }
        bytes.append(UInt8(ascii: "\""))
    }
}
