import Yams

/// A mapping in the configuration file whose keys are known.
struct FileMapping {
    /// Where it stands, for people: `apps[2]`.
    let place: String
    let line: Int
    let file: String
    private let values: [String: Node]

    /// Throws when `node` is no mapping, or has a key that none of `rows` has.
    init(_ node: Node, place: String, file: String, rows: [FileKeyRow]) throws(StartFailure) {
        guard case .mapping(let mapping) = node else {
            let keys = rows.map(\.key).joined(separator: ", ")
            throw .configuration("\(file), line \(node.line): \(place) is not a mapping; known keys: \(keys)")
        }
        var values: [String: Node] = [:]
        for (key, value) in mapping {
            let name = key.string ?? ""
            guard rows.contains(where: { $0.key == name }) else {
                throw .configuration(
                    "\(file), line \(key.line): unknown key \(UnknownKey.shown(name)) in \(place); "
                        + UnknownKey.hint(name, known: rows.map(\.key)))
            }
            if !value.isNothing { values[name] = value }
        }
        self.place = place
        self.line = node.line
        self.file = file
        self.values = values
    }

    /// The value of a key that is required or has a default.
    func value<Value>(of key: FileKey<Value>) throws(StartFailure) -> Value {
        if let value = try self.optional(key) { return value }
        throw .configuration(
            "\(self.file), line \(self.line): \(self.place).\(key.row.key) is missing; allowed: \(key.row.allowed)")
    }

    /// The value of a key; nil when it is not there and has no default.
    func optional<Value>(_ key: FileKey<Value>) throws(StartFailure) -> Value? {
        guard let node = self.values[key.row.key] else { return key.fallback }
        do throws(Misfit) {
            return try key.kind.read(node)
        } catch {
            let shown = key.row.isSecret ? "not shown" : error.shown
            throw .configuration(
                "\(self.file), line \(error.line): \(self.place).\(key.row.key)\(error.below) is \(shown); "
                    + "allowed: \(key.row.allowed)")
        }
    }

    /// What stands under a key that has a shape of its own; nil when it is not there.
    func node(of key: String) -> Node? { self.values[key] }

    /// The line of a key's value; the mapping's when it is not there.
    func line(of key: FileKeyRow) -> Int { self.values[key.key]?.line ?? self.line }
}

/// What is said of a key that nobody knows.
enum UnknownKey {
    /// Without what comes behind a colon: in `{secret:b7e2}` YAML takes all of it for the key.
    static func shown(_ name: String) -> String { Quoted.text(String(name.prefix { $0 != ":" })) }

    /// What to write instead.
    static func hint(_ name: String, known keys: [String]) -> String {
        let typed = name.lowercased().split(separator: "-").joined(separator: "_")
        let nearest = keys.map { (key: $0, distance: EditDistance.between($0, typed)) }
            .min { $0.distance < $1.distance }
        if let nearest, nearest.distance <= max(2, nearest.key.count / 4) { return "did you mean \"\(nearest.key)\"?" }
        return "known keys: \(keys.joined(separator: ", "))"
    }
}
