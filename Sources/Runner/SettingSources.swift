import Foundation

/// What the operator said, before it is understood: flags, environment and configuration file, strongest first.
///
/// An empty text in the environment or in the file is the same as none: compose files write those for unset variables.
struct SettingSources: Sendable {
    private let flags: [String: String]
    private let environment: [String: String]
    let file: ConfigurationFile?

    init(flags: [String: String], environment: [String: String], file: ConfigurationFile?) {
        self.flags = flags
        self.environment = environment.filter { !$0.value.isEmpty }
        self.file = file
    }

    /// The list of apps; nil when there is none.
    var apps: AppList? { self.file?.apps }

    /// The same flags and environment with another file.
    func with(_ file: ConfigurationFile) -> SettingSources {
        SettingSources(flags: self.flags, environment: self.environment, file: file)
    }

    /// Whether both say the same of a setting.
    func agrees(with other: SettingSources, on row: SettingRow) -> Bool {
        self.given(row)?.text == other.given(row)?.text
    }

    /// The value of a setting; nil when it is given nowhere and has no default.
    func value<Value>(of setting: Setting<Value>) throws(StartFailure) -> Value? {
        let row = setting.row
        guard let given = self.given(row) else { return row.defaultText.flatMap(setting.kind.parse) }
        if let value = setting.kind.parse(given.text) { return value }

        let shown = row.isSecret ? "not shown" : Quoted.text(given.text)
        let tail = "is \(shown); allowed: \(row.allowed)"
        switch given.place {
        case .flag:
            throw .usage("--\(row.flag) \(tail)")
        case .environment:
            throw .configuration("\(row.name) in the environment \(tail)")
        case .file(let line):
            throw .configuration("\(row.configKey) in \(self.file?.path ?? ""), line \(line), \(tail)")
        }
    }

    /// Where a setting was given, in words; nil when it was not.
    func origin(of row: SettingRow) -> String? {
        if self.flags[row.name] != nil { return "--\(row.flag)" }
        if self.environment[row.name] != nil { return "\(row.name) in the environment" }
        if let file = self.file, file.entries[row.configKey] != nil { return "\(row.configKey) in \(file.path)" }
        return nil
    }

    private func given(_ row: SettingRow) -> (text: String, place: Place)? {
        if let text = self.flags[row.name] { return (text, .flag) }
        if let text = self.environment[row.name] { return (text, .environment) }
        return self.file?.entries[row.configKey].map { ($0.text, .file(line: $0.line)) }
    }

    private enum Place { case flag, environment, file(line: Int) }
}

/// Somebody else's text in a line of ours: quoted, short, and unable to start a line of its own.
enum Quoted {
    static func text(_ text: String) -> String {
        let start = String(String.UnicodeScalarView(text.unicodeScalars.prefix(80)))
        return "\"\(self.printable(start))\(text.unicodeScalars.count > 80 ? "…" : "")\""
    }

    /// The text with a mark for each character that could move a cursor.
    static func printable(_ text: String) -> String {
        text.unicodeScalars.map { isControl($0) ? "?" : String($0) }.joined()
    }

    /// C0, DEL and C1, and the two separators that some readers take for the end of a line.
    static func isControl(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0..<32, 127..<160, 0x2028, 0x2029: true
        default: false
        }
    }
}
