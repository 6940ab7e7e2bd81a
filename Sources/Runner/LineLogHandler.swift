import Glibc
import Logging

enum LogFormat: String, CaseIterable, Sendable { case text, json }

/// Writes each entry as one line to standard error: for a person, or as a JSON object for a collector.
struct LineLogHandler: LogHandler {
    var logLevel: Logger.Level
    var metadata: Logger.Metadata = [:]
    private let label: String
    private let format: LogFormat

    init(label: String, level: Logger.Level, format: LogFormat) {
        self.label = label
        self.logLevel = level
        self.format = format
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { self.metadata[key] }
        set { self.metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        var metadata = self.metadata.merging(event.metadata ?? [:]) { _, of in of }
        if let error = event.error { metadata["error"] = "\(error)" }
        let entry = LogLine(
            time: LogLine.now(), level: event.level, label: self.label, message: event.message.description,
            metadata: metadata.sorted { $0.key < $1.key }.map { ($0.key, $0.value) })
        StandardError.write(self.format == .json ? entry.json : entry.text)
    }
}

/// One entry, ready to be written.
struct LogLine {
    let time: String
    let level: Logger.Level
    let label: String
    let message: String
    let metadata: [(key: String, value: Logger.MetadataValue)]

    /// `2026-01-31T12:00:00.000Z info broker: listening port=6001`
    var text: String {
        var line = "\(self.time) \(self.level.rawValue) \(self.label): \(Self.escaped(self.message, quotes: false))"
        for (key, value) in self.metadata {
            let text = value.description
            let isPlain = !text.isEmpty && text.utf8.allSatisfy { $0 > 32 && $0 < 127 && !#""\="#.utf8.contains($0) }
            line += " \(Self.escaped(key, quotes: false))="
            line += isPlain ? text : "\"\(Self.escaped(text, quotes: true))\""
        }
        return line + "\n"
    }

    var json: String {
        var line = "{\"time\":\"\(self.time)\",\"level\":\"\(self.level.rawValue)\""
        line += ",\"label\":\"\(Self.escaped(self.label, quotes: true))\""
        line += ",\"message\":\"\(Self.escaped(self.message, quotes: true))\""
        if !self.metadata.isEmpty { line += ",\"metadata\":\(Self.json(.init(uniqueKeysWithValues: self.metadata)))" }
        return line + "}\n"
    }

    private static func json(_ metadata: Logger.Metadata) -> String {
        let members = metadata.sorted { $0.key < $1.key }
            .map { "\"\(self.escaped($0.key, quotes: true))\":\(self.json($0.value))" }
        return "{\(members.joined(separator: ","))}"
    }

    private static func json(_ value: Logger.MetadataValue) -> String {
        switch value {
        case .dictionary(let members): self.json(members)
        case .array(let elements): "[\(elements.map { self.json($0) }.joined(separator: ","))]"
        case .string, .stringConvertible: "\"\(self.escaped(value.description, quotes: true))\""
        }
    }

    /// `text` without anything that could end a line, move a terminal's cursor or end a JSON string.
    private static func escaped(_ text: String, quotes: Bool) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\n": result += "\\n"
            case "\r": result += "\\r"
            case "\t": result += "\\t"
            case "\"" where quotes: result += "\\\""
            case "\\" where quotes: result += "\\\\"
            // C0, DEL and C1; and the two separators that some readers take for the end of a line.
            case "\u{0}"..."\u{1F}", "\u{7F}"..."\u{9F}", "\u{2028}", "\u{2029}":
                let digits = String(scalar.value, radix: 16)
                result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }

    /// UTC with milliseconds.
    static func now() -> String {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        var parts = tm()
        gmtime_r(&time.tv_sec, &parts)
        func padded(_ number: Int, _ width: Int) -> String {
            let digits = String(number)
            return String(repeating: "0", count: max(0, width - digits.count)) + digits
        }
        let day =
            "\(padded(Int(parts.tm_year) + 1900, 4))-\(padded(Int(parts.tm_mon) + 1, 2))-\(padded(Int(parts.tm_mday), 2))"
        let clock =
            "\(padded(Int(parts.tm_hour), 2)):\(padded(Int(parts.tm_min), 2)):\(padded(Int(parts.tm_sec), 2))"
        return "\(day)T\(clock).\(padded(time.tv_nsec / 1_000_000, 3))Z"
    }
}
