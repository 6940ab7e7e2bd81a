/// The head of an HTTP/1.1 response, parsed strictly (RFC 9112 section 4).
package struct HTTPResponseHead: Equatable, Sendable {
    package struct Field: Equatable, Sendable {
        package let name: String
        package let value: String
    }

    package let status: Int
    /// In the order of the wire.
    package let fields: [Field]

    /// Parses a whole head, its empty line included, which `HTTPRequestHead.length` finds. Nil when it is not one.
    package init?(parsing bytes: UnsafeRawBufferPointer) {
        do {
            var lines = HeadLines(bytes)
            guard let line = try lines.next(), let status = Self.status(line) else { return nil }
            var fields: [Field] = []
            while let line = try lines.next() {
                let field = try HTTPFieldLine(line)
                fields.append(
                    Field(
                        name: String(decoding: field.name, as: UTF8.self),
                        value: String(decoding: field.value, as: UTF8.self)))
            }
            self.status = status
            self.fields = fields
        } catch {
            return nil
        }
    }

    /// Whether bytes, of which more may come, can be the beginning of a response.
    package static func canBegin(with bytes: UnsafeRawBufferPointer) -> Bool {
        zip(bytes, "HTTP/1.".utf8).allSatisfy(==)
    }

    /// The value of a field, whose name is compared without regard to case; nil when it is not there exactly once.
    package subscript(name: String) -> String? {
        let values = self.fields.filter { $0.name.lowercased() == name.lowercased() }
        return values.count == 1 ? values[0].value : nil
    }

    /// `HTTP/1.1 101 Switching Protocols`; the reason may be left out.
    private static func status(_ line: UnsafeRawBufferPointer) -> Int? {
        guard line.count >= 12, self.canBegin(with: line), line[7] == UInt8(ascii: "0") || line[7] == UInt8(ascii: "1"),
            line[8] == UInt8(ascii: " "), line.count == 12 || line[12] == UInt8(ascii: " ")
        else { return nil }
        let digits = line[9..<12]
        guard digits.allSatisfy({ $0 >= 48 && $0 <= 57 }) else { return nil }
        return digits.reduce(0) { $0 * 10 + Int($1 - 48) }
    }
}
