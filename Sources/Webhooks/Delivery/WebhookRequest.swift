internal import Digests
internal import PusherProtocol

/// A request as it goes out: its body and signature are made once, and every try repeats them (P157).
struct WebhookRequest: Sendable, Equatable {
    let body: String
    let key: String
    /// HMAC-SHA256 of the body's bytes with the app's older secret, in lower-case hexadecimal (9.1).
    let signature: String
    let eventCount: Int
    /// Milliseconds since 1970; `time_ms`.
    let created: Int64

    /// - Parameter events: each a JSON object.
    init(events: some Collection<[UInt8]>, credentials: AppCredentials, created: Int64) {
        let body = Self.body(events: events, created: created)
        self.body = body
        self.key = credentials.key
        self.signature = credentials.secret.sign(body).hex
        self.eventCount = events.count
        self.created = created
    }

    static func body(events: some Sequence<[UInt8]>, created: Int64) -> String {
        var writer = JSONWriter(reserving: 256)
        writer.literal(#"{"time_ms":"#)
        writer.integer(created)
        writer.literal(#","events":["#)
        var isFirst = true
        for event in events {
            if !isFirst { writer.literal(",") }
            isFirst = false
            writer.verbatim(event)
        }
        writer.literal("]}")
        return String(decoding: writer.bytes, as: UTF8.self)
    }
}
