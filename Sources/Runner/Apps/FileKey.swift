import Yams

/// One key of a mapping in the configuration file, of an app or of one of its webhooks.
struct FileKey<Value: Sendable>: Sendable {
    let row: FileKeyRow
    let kind: FileValueKind<Value>
    /// The value when the key is not there, where that has one.
    let fallback: Value?

    /// - Parameters:
    ///   - text: the default as it would stand in the file.
    ///   - absence: what it means, in words, when the key is not there and has no default. A key with neither is
    ///     required.
    init(
        _ key: String, default text: String? = nil, or absence: String? = nil, _ kind: FileValueKind<Value>,
        _ meaning: String
    ) {
        self.row = FileKeyRow(
            key: key, defaultText: text, absence: absence, allowed: kind.allowed, isSecret: kind.isSecret,
            meaning: meaning)
        self.kind = kind
        let node = text.flatMap { try? Yams.compose(yaml: $0) }
        self.fallback = node.flatMap { try? kind.read($0) }
    }
}

/// What every key has, whatever the type of its value.
struct FileKeyRow: Sendable {
    let key: String
    let defaultText: String?
    let absence: String?
    /// What is allowed, to stand behind "allowed: ".
    let allowed: String
    /// A secret is never shown.
    let isSecret: Bool
    let meaning: String
}

/// A type of value in the file: what is allowed, in words and in code.
struct FileValueKind<Value: Sendable>: Sendable {
    let allowed: String
    var isSecret = false
    let read: @Sendable (Node) throws(Misfit) -> Value
}

/// A part of the file that is not what is allowed there.
struct Misfit: Error {
    /// Where, below the value: `[1]`, `.X-Team`; empty for the value itself.
    var below = ""
    /// What stands there, for people.
    let shown: String
    let line: Int

    init(below: String = "", shown: String, at node: Node) {
        self.below = below
        self.shown = shown
        self.line = node.line
    }

    /// A node that is not what it should be.
    init(below: String = "", _ node: Node) {
        self.init(below: below, shown: node.shown, at: node)
    }
}

extension FileValueKind {
    /// A plain value that would be understood the same way in a flat setting.
    static func plain(_ kind: SettingKind<Value>) -> Self {
        .init(allowed: kind.allowed, isSecret: kind.isSecret) { node throws(Misfit) in
            guard case .scalar(let scalar) = node, let value = kind.parse(scalar.string) else { throw Misfit(node) }
            return value
        }
    }

    /// 1 to `count` plain values.
    static func list<Element>(of kind: SettingKind<Element>, upTo count: Int, allowed: String) -> Self
    where Value == [Element] {
        .init(allowed: allowed) { node throws(Misfit) in
            guard case .sequence(let nodes) = node else { throw Misfit(node) }
            guard (1...count).contains(nodes.count) else {
                throw Misfit(shown: "a list of \(nodes.count)", at: node)
            }
            var values: [Element] = []
            for (index, node) in nodes.enumerated() {
                guard case .scalar(let scalar) = node, let value = kind.parse(scalar.string) else {
                    throw Misfit(below: "[\(index)]", node)
                }
                values.append(value)
            }
            return values
        }
    }

    func map<Other: Sendable>(_ transform: @escaping @Sendable (Value) -> Other) -> FileValueKind<Other> {
        let read = self.read
        return .init(allowed: self.allowed, isSecret: self.isSecret) { node throws(Misfit) in
            transform(try read(node))
        }
    }
}

extension Node {
    /// The line of the file on which it begins.
    var line: Int { self.mark?.line ?? 0 }

    /// Whether it says the same as leaving the key out: `key:` and `key: ~`.
    var isNothing: Bool {
        guard case .scalar(let scalar) = self else { return false }
        return scalar.string.isEmpty || scalar.style == .plain && ["~", "null"].contains(scalar.string)
    }

    /// For messages.
    var shown: String {
        switch self {
        case .scalar(let scalar): Quoted.text(scalar.string)
        case .sequence: "a list"
        case .mapping: "a mapping"
        case .alias: "an alias"
        }
    }
}
