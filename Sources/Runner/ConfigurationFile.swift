import Foundation
import Glibc
import Yams

/// `switchboard.yaml`: one flat mapping of setting names to values.
struct ConfigurationFile: Sendable {
    struct Entry: Sendable {
        let text: String
        let line: Int
    }

    let path: String
    /// By key; keys without a value are left out.
    let entries: [String: Entry]
    /// Whether somebody besides the owner may read a secret that stands in it.
    let exposesSecret: Bool

    private static let maximumBytes = 1 << 20

    /// Reads and checks the file. Every key in it is a setting's; the values are checked by their settings.
    init(path: String) throws(StartFailure) {
        let (text, mode) = try Self.read(path)
        let root: Node?
        do {
            root = try Yams.compose(yaml: text)
        } catch {
            let reason = "\(error)".split(separator: "\n").joined(separator: " ")
            throw .configuration("\(path) is not YAML: \(reason)")
        }

        var entries: [String: Entry] = [:]
        switch root {
        case nil: break
        case .mapping(let mapping)?:
            for (key, value) in mapping {
                let name = key.string ?? ""
                let line = key.mark?.line ?? 0
                guard let row = SettingTable.rows.first(where: { $0.configKey == name }) else {
                    throw .configuration("\(path), line \(line): unknown key \(Quoted.text(name)); \(Self.hint(name))")
                }
                guard case .scalar(let scalar) = value else {
                    throw .configuration(
                        "\(name) in \(path), line \(line), is not a plain value; allowed: \(row.allowed)")
                }
                // `key:` and `key: ~` mean the same as leaving the line out.
                let isNull = scalar.style == .plain && ["", "~", "null"].contains(scalar.string)
                if !isNull, !scalar.string.isEmpty { entries[name] = Entry(text: scalar.string, line: line) }
            }
        default:
            throw .configuration("\(path) is not a mapping of setting names to values (broker_port: 6001)")
        }

        self.path = path
        self.entries = entries
        self.exposesSecret =
            mode & 0o077 != 0 && SettingTable.rows.contains { $0.isSecret && entries[$0.configKey] != nil }
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

    /// What to write instead of an unknown key.
    private static func hint(_ name: String) -> String {
        let keys = SettingTable.rows.map(\.configKey)
        let typed = name.lowercased().split(separator: "-").joined(separator: "_")
        let nearest = keys.map { (key: $0, distance: EditDistance.between($0, typed)) }
            .min { $0.distance < $1.distance }
        if let nearest, nearest.distance <= max(2, nearest.key.count / 4) { return "did you mean \"\(nearest.key)\"?" }
        return "known keys: \(keys.joined(separator: ", "))"
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
