import Foundation
import Glibc
import Logging
import Yams

/// `switchboard.yaml`: a mapping of setting names to plain values, and the list of apps.
struct ConfigurationFile: Sendable {
    struct Entry: Sendable {
        let text: String
        let line: Int
    }

    let path: String
    /// By key; keys without a value are left out.
    let entries: [String: Entry]
    /// nil when there is no `apps` in it.
    let apps: AppList?
    /// Whether somebody besides the owner may read a secret that stands in it.
    private let exposesSecret: Bool

    /// Room for the largest list of apps, with a kilobyte and a half for each.
    private static let maximumBytes = 16 << 20
    private static let appsKey = "apps"

    /// Reads and checks the file. Every key in it is a setting's or `apps`; the values of settings are checked by them.
    init(path: String) throws(StartFailure) {
        let (text, mode) = try Self.read(path)
        let root: Node?
        do {
            root = try Yams.compose(yaml: text)
        } catch {
            throw .configuration("\(path)\(Self.reason(error))")
        }

        var entries: [String: Entry] = [:]
        var apps: AppList?
        switch root {
        case nil: break
        case .mapping(let mapping)?:
            for (key, value) in mapping {
                let name = key.string ?? ""
                if name == Self.appsKey {
                    if !value.isNothing { apps = try AppList(value, file: path, line: key.line) }
                } else if let entry = try Self.entry(name, key, value, path: path) {
                    entries[name] = entry
                }
            }
        default:
            throw .configuration("\(path) is not a mapping of setting names to values (broker_port: 6001)")
        }

        self.path = path
        self.entries = entries
        self.apps = apps
        let hasSecret = apps != nil || SettingTable.rows.contains { $0.isSecret && entries[$0.configKey] != nil }
        self.exposesSecret = mode & 0o077 != 0 && hasSecret
    }

    /// Says so when somebody else may read a secret in it.
    func warnOfExposure(_ logger: Logger) {
        guard self.exposesSecret else { return }
        logger.warning(
            "a file with a secret in it can be read by others; chmod 600 it", metadata: ["file": "\(self.path)"])
    }

    /// A setting's value as text; nil when there is none.
    private static func entry(
        _ name: String, _ key: Node, _ value: Node, path: String
    ) throws(StartFailure) -> Entry? {
        guard let row = SettingTable.rows.first(where: { $0.configKey == name }) else {
            let known = SettingTable.rows.map(\.configKey) + [Self.appsKey]
            throw .configuration(
                "\(path), line \(key.line): unknown key \(UnknownKey.shown(name)); "
                    + UnknownKey.hint(name, known: known))
        }
        guard case .scalar(let scalar) = value else {
            throw .configuration(
                "\(name) in \(path), line \(key.line), is not a plain value; allowed: \(row.allowed)")
        }
        return value.isNothing ? nil : Entry(text: scalar.string, line: key.line)
    }

    /// Why a text is not YAML. The library's own description quotes the line, which may hold a secret.
    private static func reason(_ error: any Error) -> String {
        switch error as? YamlError {
        case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
            .composer(_, let problem, let mark, _):
            ", line \(mark.line), is not YAML: \(problem)"
        case .duplicatedKeysInMapping(let keys, let context):
            ", line \(context.mark.line): \(keys.sorted().map(UnknownKey.shown).joined(separator: ", ")) stands twice in "
                + "one mapping"
        default: " is not YAML"
        }
    }

    private static func read(_ path: String) throws(StartFailure) -> (String, mode_t) {
        // Not blocking: the path of a pipe that nobody writes would hold the start for ever.
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw .configuration("cannot read \(path): \(lastSystemError())") }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw .configuration("cannot read \(path): not a file")
        }
        guard status.st_size <= Self.maximumBytes else {
            throw .configuration("cannot read \(path): larger than \(Self.maximumBytes) bytes")
        }
        guard let bytes = try? FileHandle(fileDescriptor: descriptor, closeOnDealloc: false).readToEnd() ?? Data(),
            let text = String(bytes: bytes, encoding: .utf8)
        else { throw .configuration("cannot read \(path): not UTF-8 text") }
        return (text, status.st_mode)
    }
}

/// How many letters must be put in, left out or changed to make one word of the other (Levenshtein).
enum EditDistance {
    static func between(_ first: String, _ second: String) -> Int {
        let first = Array(first.utf8.prefix(64))
        let second = Array(second.utf8.prefix(64))
        var row = Array(0...second.count)
        for (index, letter) in first.enumerated() {
            var diagonal = row[0]
            row[0] = index + 1
            for (column, other) in second.enumerated() {
                let changed = diagonal + (letter == other ? 0 : 1)
                diagonal = row[column + 1]
                row[column + 1] = min(changed, min(row[column], row[column + 1]) + 1)
            }
        }
        return row[second.count]
    }
}
