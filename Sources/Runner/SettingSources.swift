import Foundation

/// What the operator said, before it is understood: flags, environment and configuration file, strongest first.
///
/// An empty text in the environment or in the file is the same as none: compose files write those for unset variables.
struct SettingSources: Sendable {
    private let flags: [String: String]
    private let environment: [String: String]
    private let file: ConfigurationFile?

    init(flags: [String: String], environment: [String: String], file: ConfigurationFile?) {
        self.flags = flags
        self.environment = environment.filter { !$0.value.isEmpty }
        self.file = file
    }

    /// The value of a setting; nil when it is given nowhere and has no default.
    func value<Value>(of setting: Setting<Value>) throws(StartFailure) -> Value? {
        let row = setting.row
        let given: (text: String, place: Place)
        if let text = self.flags[row.name] {
            given = (text, .flag)
        } else if let text = self.environment[row.name] {
            given = (text, .environment)
        } else if let entry = self.file?.entries[row.configKey] {
            given = (entry.text, .file(line: entry.line))
        } else {
            return row.defaultText.flatMap(setting.kind.parse)
        }
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

    private enum Place { case flag, environment, file(line: Int) }
}

/// Somebody else's text in a line of ours: quoted, short, and unable to start a line of its own.
enum Quoted {
    static func text(_ text: String) -> String {
        let printable = text.unicodeScalars.prefix(80).map { scalar in
            scalar.value < 32 || scalar.value == 127 ? "?" : String(scalar)
        }
        return "\"\(printable.joined())\(text.unicodeScalars.count > 80 ? "…" : "")\""
    }
}
