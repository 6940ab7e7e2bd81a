import Foundation
import Logging
import NIOHTTP1
import Synchronization
import Testing

/// HTTP-16: what went over a harness's wire and may never be told, held against all that its servers log and against the
/// body of every refusal.
final class Secrecy: Sendable {
    private struct Seen {
        var secrets: Set<String> = []
        var log: [String] = []
    }

    /// A shorter text is a word like any other, and no secret that a server made.
    private static let minLength = 8

    private let seen = Mutex(Seen())

    /// Everything is logged to it, whatever its level.
    var logger: Logger { Logger(label: "tests") { _ in SecrecyLog(secrecy: self) } }

    /// Notes the secrets of a request and of its answer.
    func note(sent headers: HTTPHeaders, _ body: String, received: TicketHarness.Reply) {
        var found: Set<String> = []
        for value in headers["Authorization"] { found.formUnion(Self.secret(ofToken: value)) }
        for value in headers["Cookie"] + received.headers["Set-Cookie"] {
            found.formUnion(value.split(separator: ";").flatMap(Self.secret(ofCookie:)))
        }
        found.formUnion(Self.passwords(in: body))
        found.formUnion(Self.secret(ofToken: received.json["token"].string ?? ""))
        let secrets = self.seen.withLock { seen in
            seen.secrets.formUnion(found.filter { $0.utf8.count >= Self.minLength })
            return seen.secrets
        }
        if received.status >= 400, let told = secrets.first(where: received.text.contains) {
            Issue.record("A refusal tells \(told): \(received.text)")
        }
    }

    fileprivate func log(_ line: String) {
        self.seen.withLock { $0.log.append(line) }
    }

    /// To be called when the servers have stopped.
    func check() {
        let seen = self.seen.withLock { $0 }
        #expect(!seen.log.isEmpty)
        for line in seen.log where seen.secrets.contains(where: line.contains) {
            Issue.record("The log tells a secret: \(line)")
        }
    }

    /// A log may name the id before the bar; the secret stands behind it.
    private static func secret(ofToken text: String) -> [String] {
        let secret = text.drop { $0 != "|" }.dropFirst()
        return secret.utf8.count >= 40 ? [String(secret)] : []
    }

    /// A session's, with or without an id and a dot before it, or a CSRF token's. Attributes are shorter.
    private static func secret(ofCookie text: Substring) -> [String] {
        let value = text.drop { $0 != "=" }.dropFirst()
        let secret = value.split(separator: ".").last ?? value
        return secret.utf8.count >= 40 ? [String(secret)] : []
    }

    /// The values of all fields with `password` in their name, of a JSON object or of a form.
    private static func passwords(in body: String) -> [String] {
        if let json = try? Value(parsing: body) {
            return json.keys.filter { $0.contains("password") }.compactMap { json[$0].string }
        }
        return body.split(separator: "&").compactMap { pair in
            let halves = pair.split(separator: "=", maxSplits: 1)
            guard halves.count == 2, halves[0].contains("password") else { return nil }
            return halves[1].replacing("+", with: " ").removingPercentEncoding
        }
    }
}

private struct SecrecyLog: LogHandler {
    let secrecy: Secrecy
    var logLevel = Logger.Level.trace
    var metadata: Logger.Metadata = [:]

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { self.metadata[key] }
        set { self.metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        let metadata = self.metadata.merging(event.metadata ?? [:]) { $1 }
        self.secrecy.log("\(event.level) \(event.message) \(event.error.map { "\($0)" } ?? "") \(metadata)")
    }
}
