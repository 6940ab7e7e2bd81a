/// One thing an operator may set, under one name in three spellings: `BROKER_PORT` in the environment, `--broker-port`
/// on the command line, `broker_port` in the file.
struct Setting<Value: Sendable>: Sendable {
    let row: SettingRow
    let kind: SettingKind<Value>

    init(
        _ name: String, default text: String? = nil, or absence: String? = nil, _ kind: SettingKind<Value>,
        _ meaning: String
    ) {
        self.row = SettingRow(
            name: name, placeholder: kind.placeholder, defaultText: text, absence: absence, allowed: kind.allowed,
            isSecret: kind.isSecret, meaning: meaning)
        self.kind = kind
    }
}

/// What every setting has, whatever its type.
struct SettingRow: Sendable {
    /// The name in the environment.
    let name: String
    /// What stands for the value in the help.
    let placeholder: String
    /// The value when it is given nowhere; nil when that has a meaning of its own, which `absence` tells.
    let defaultText: String?
    let absence: String?
    /// What is allowed, to stand behind "allowed: ".
    let allowed: String
    /// A secret is never shown, and never taken from a flag: every user of the machine can read a command line.
    let isSecret: Bool
    let meaning: String

    var configKey: String { self.name.lowercased() }
    var flag: String { self.configKey.split(separator: "_").joined(separator: "-") }
}

/// A type of value: what is allowed, in words and in code.
struct SettingKind<Value: Sendable>: Sendable {
    let placeholder: String
    let allowed: String
    var isSecret = false
    let parse: @Sendable (String) -> Value?
}

extension SettingKind {
    static func wholeNumber(
        _ range: ClosedRange<Int>, placeholder: String = "n", note: String = ""
    ) -> SettingKind<Int> {
        .init(
            placeholder: placeholder, allowed: "a whole number from \(range.lowerBound) to \(range.upperBound)\(note)"
        ) { text in
            guard text.utf8.count <= 9, text.utf8.allSatisfy({ $0 >= 48 && $0 <= 57 }), let number = Int(text),
                range.contains(number)
            else { return nil }
            return number
        }
    }

    /// Seconds and minutes, as in `90`, `90s` or `2m`.
    /// - Parameter range: in seconds.
    static func duration(_ range: ClosedRange<Int>) -> SettingKind<Duration> {
        .init(
            placeholder: "time", allowed: "a time from \(range.lowerBound)s to \(range.upperBound)s, like 90s or 2m"
        ) { text in
            let digits = text.prefix { $0.isASCII && $0.isNumber }
            guard (1...6).contains(digits.utf8.count), let number = Int(digits) else { return nil }
            let seconds: Int
            switch text[digits.endIndex...] {
            case "", "s": seconds = number
            case "m": seconds = number * 60
            default: return nil
            }
            return range.contains(seconds) ? .seconds(seconds) : nil
        }
    }

    static func listenPort() -> SettingKind<Int> {
        .wholeNumber(0...65535, placeholder: "port", note: " (0 = any free one)")
    }

    /// A host name or an address. Not checked beyond its characters: the resolver knows.
    static func host() -> SettingKind<String> {
        .init(placeholder: "host", allowed: "a host name or an IP address, without scheme and port") { text in
            let isHost = (1...253).contains(text.utf8.count) && text.utf8.allSatisfy(isHostByte)
            return isHost ? text : nil
        }
    }

    static func text(_ allowed: String, length: ClosedRange<Int>, _ accepts: @escaping @Sendable (UInt8) -> Bool)
        -> SettingKind<String>
    {
        .init(placeholder: "text", allowed: allowed) { text in
            length.contains(text.utf8.count) && text.utf8.allSatisfy(accepts) ? text : nil
        }
    }

    static func secret() -> SettingKind<String> {
        .init(
            placeholder: "text", allowed: "8 to 128 printable ASCII characters without spaces", isSecret: true
        ) { text in
            (8...128).contains(text.utf8.count) && text.utf8.allSatisfy { $0 > 32 && $0 < 127 } ? text : nil
        }
    }

    static func path() -> SettingKind<String> {
        .init(placeholder: "path", allowed: "a path") { $0.isEmpty ? nil : $0 }
    }

    static func onOff() -> SettingKind<Bool> {
        .init(placeholder: "0|1", allowed: "1 or 0 (also true, false, yes, no, on, off)") { text in
            switch text.lowercased() {
            case "1", "true", "yes", "on": true
            case "0", "false", "no", "off": false
            default: nil
            }
        }
    }

    static func oneOf<Choice>(_ type: Choice.Type) -> SettingKind<Choice>
    where Choice: CaseIterable & RawRepresentable<String> & Sendable {
        let words = Choice.allCases.map(\.rawValue)
        return .init(placeholder: words.joined(separator: "|"), allowed: words.joined(separator: ", ")) {
            Choice(rawValue: $0)
        }
    }

    /// nil inside the value means every origin.
    static func origins() -> SettingKind<Set<String>?> {
        .init(
            placeholder: "hosts", allowed: "* for all, or host names separated by commas, without scheme and port"
        ) { text in
            if text == "*" { return .some(nil) }
            let hosts = text.split(separator: ",", omittingEmptySubsequences: false).map {
                $0.trimmingSpaces().lowercased()
            }
            return hosts.allSatisfy(isHostName) ? .some(Set(hosts)) : nil
        }
    }

    /// One of a list of origins: a host name in small letters, or `*`.
    static func originHost() -> SettingKind<String> {
        .init(placeholder: "host", allowed: "* for all, or a host name without scheme and port") { text in
            text == "*" || isHostName(text) ? text.lowercased() : nil
        }
    }
}

@Sendable private func isHostName(_ text: String) -> Bool {
    (1...253).contains(text.utf8.count) && text.utf8.allSatisfy(isNameByte)
}

@Sendable private func isNameByte(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"):
        true
    default: false
    }
}

/// A name's characters, and the `:` and `%` of an IPv6 address.
@Sendable private func isHostByte(_ byte: UInt8) -> Bool {
    isNameByte(byte) || byte == UInt8(ascii: ":") || byte == UInt8(ascii: "%")
}

extension Substring {
    func trimmingSpaces() -> Substring {
        var text = self
        while text.first == " " { text.removeFirst() }
        while text.last == " " { text.removeLast() }
        return text
    }
}
