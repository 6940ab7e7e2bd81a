/// Events that an endpoint was not told of, kept for an operator. Holds no secret and no header of the endpoint.
package struct DeadLetter: Codable, Equatable, Sendable {
    /// Letters sort by it in the order in which they were given up. Digits, a hyphen, hexadecimal digits.
    package let id: String
    /// The app's id.
    package let app: String
    /// The endpoint's address, whole: its query may hold a secret, so a log is no place for it.
    package let url: String
    /// The request's body: `{"time_ms":…,"events":[…]}`.
    package internal(set) var body: String
    /// When the request, or the first of events that never were in one, was made. Milliseconds since 1970.
    package let createdMS: Int64
    /// When it was given up. Milliseconds since 1970.
    package let givenUpMS: Int64
    /// How often it was sent; 0 when it never had its turn.
    package let attempts: Int
    /// Why it was given up, or how the last try failed.
    package let failure: String

    private enum CodingKeys: String, CodingKey {
        case id, app, url, body, attempts, failure
        case createdMS = "created_ms"
        case givenUpMS = "given_up_ms"
    }
}

/// A letter that is still to be given its id and time.
struct DeadLetterDraft: Sendable, Equatable {
    let app: String
    let url: String
    let body: String
    let created: Int64
    let attempts: Int
    let failure: String

    private static let maxEvents = 1000
    private static let maxBytes = 1 << 20

    init(_ attempted: EndpointQueue.Attempted, app: String, url: String) {
        self.app = app
        self.url = url
        self.body = attempted.request.body
        self.created = attempted.request.created
        self.attempts = attempted.attempts
        self.failure = attempted.failure
    }

    private init(app: String, url: String, body: String, created: Int64, failure: String) {
        self.app = app
        self.url = url
        self.body = body
        self.created = created
        self.attempts = 0
        self.failure = failure
    }

    /// Letters of events that never were in a request, as many in each as a file should hold.
    static func bundle(
        _ events: [EndpointQueue.Event], app: String, url: String, failure: String
    ) -> [DeadLetterDraft] {
        var drafts: [DeadLetterDraft] = []
        var rest = events[...]
        while let first = rest.first {
            var bytes = 0
            let part = rest.prefix(self.maxEvents).prefix { event in
                bytes += event.json.count
                return bytes <= self.maxBytes
            }
            // One that is larger than a letter should be has a letter of its own.
            let count = max(1, part.count)
            let body = WebhookRequest.body(events: rest.prefix(count).map(\.json), created: first.time)
            drafts.append(DeadLetterDraft(app: app, url: url, body: body, created: first.time, failure: failure))
            rest = rest.dropFirst(count)
        }
        return drafts
    }
}
