internal import FoundationEssentials

/// One field as it came, from JSON or from a form.
enum InputValue: Sendable {
    case null
    case text(String)
    case integer(Int64)
    case bool(Bool)
    /// A list of so many values. What they are is of no interest: no field takes them.
    case list(Int)
    /// A fraction, an object: nothing that any field takes.
    case other
}

/// There are more fields than any form has.
struct TooManyFields: Error {}

/// The fields of a request, cleaned as Laravel cleans them: white space around a text is dropped (not from passwords),
/// and an empty text is null.
struct Input: Sendable {
    /// As in PHP. What a field costs is more than its bytes, and its reader holds up others.
    static let maxFields = 1000

    private var values: [String: InputValue] = [:]

    /// No fields.
    init() {}

    /// The members of a JSON object; of any other JSON value there are none. Throws `TooManyFields`, and when it is
    /// not JSON.
    init(json bytes: some Collection<UInt8>) throws {
        let members = try JSONDecoder().decode(Members.self, from: Data(bytes))
        for (name, value) in members.values { self.set(name, value) }
    }

    /// Texts from elsewhere, cleaned in the same way.
    init(fields: [String: String]) {
        for (name, text) in fields { self.set(name, .text(text)) }
    }

    /// The pairs of a query string or an urlencoded form; of a repeated name, the last counts.
    init(form text: String) {
        self.init(pairs: FormCoding.pairs(text))
    }

    /// The fields of a form; of a repeated name, the last counts.
    init(pairs: [(name: String, value: String)]) {
        for pair in pairs { self.set(pair.name, .text(pair.value)) }
    }

    /// The field's value; nil when it was not sent.
    subscript(_ field: String) -> InputValue? { self.values[field] }

    /// How many fields with such a name have a value.
    func count(where isMeant: (String) -> Bool) -> Int {
        self.values.count { name, value in
            if case .null = value { false } else { isMeant(name) }
        }
    }

    private mutating func set(_ name: String, _ value: InputValue) {
        guard case .text(let text) = value else {
            self.values[name] = value
            return
        }
        let clean = Self.verbatim.contains(name) ? text : Self.trimmed(text)
        self.values[name] = clean.isEmpty ? .null : .text(clean)
    }

    private static let verbatim: Set<String> = ["password", "password_confirmation", "current_password"]

    /// Without white space, NUL and invisible marks at both ends.
    private static func trimmed(_ text: String) -> String {
        func isBlank(_ scalar: Unicode.Scalar) -> Bool {
            switch scalar.value {
            case 0, 0x200b, 0x200e, 0xfeff: true
            default: scalar.properties.isWhitespace
            }
        }
        let scalars = text.unicodeScalars
        guard let first = scalars.firstIndex(where: { !isBlank($0) }),
            let last = scalars.lastIndex(where: { !isBlank($0) })
        else { return "" }
        return String(scalars[first...last])
    }
}

/// A JSON object whose members are read one level deep.
private struct Members: Decodable {
    private struct Name: CodingKey {
        let stringValue: String
        let intValue: Int? = nil
        init?(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { nil }
    }

    var values: [String: InputValue] = [:]

    init(from decoder: any Decoder) throws {
        // Not an object: valid JSON without fields.
        guard let object = try? decoder.container(keyedBy: Name.self) else { return }
        guard object.allKeys.count <= Input.maxFields else { throw TooManyFields() }
        for name in object.allKeys {
            self.values[name.stringValue] = Self.value(of: object, name)
        }
    }

    /// A value that fits none of the types tried is something that no field takes, so the errors need no look.
    private static func value(of object: KeyedDecodingContainer<Name>, _ name: Name) -> InputValue {
        if let text = try? object.decode(String.self, forKey: name) { return .text(text) }
        if (try? object.decodeNil(forKey: name)) == true { return .null }
        if let bool = try? object.decode(Bool.self, forKey: name) { return .bool(bool) }
        if let integer = try? object.decode(Int64.self, forKey: name) { return .integer(integer) }
        if let list = try? object.nestedUnkeyedContainer(forKey: name) { return .list(list.count ?? 0) }
        return .other
    }
}
