internal import HTTPTypes
internal import Hummingbird

/// One line of the route table.
struct Route: Sendable {
    enum Endpoint: Sendable {
        /// For everybody.
        case open(@Sendable (Call) async throws -> Response)
        /// For those with a token or a session.
        case guarded(@Sendable (Call, Session) async throws -> Response)
        /// For those with a token, by an endpoint whose transaction confirms the session (`Tables.confirmed`): one turn
        /// at the database instead of two.
        case confirming(@Sendable (Call, Session) async throws -> Response)
    }

    let methods: [HTTPRequest.Method]
    /// The parts of the path between slashes; `{id}` stands for a positive number.
    let pattern: [Substring]
    let endpoint: Endpoint
    /// For a guarded route that takes files: throws for a caller who has no business here, before any file is stored.
    let admitsFiles: (@Sendable (Call, Session) async throws -> Void)?

    init(
        _ methods: HTTPRequest.Method..., path: String, _ endpoint: Endpoint,
        admitsFiles: (@Sendable (Call, Session) async throws -> Void)? = nil
    ) {
        self.methods = methods
        self.names = methods.map { "\($0) \(path)" }
        self.pattern = path.split(separator: "/")
        self.endpoint = endpoint
        self.admitsFiles = admitsFiles
    }

    /// For each of its methods, as `GET /tickets/{id}`.
    let names: [String]

    func name(for method: HTTPRequest.Method) -> String? {
        self.methods.firstIndex(of: method).map { self.names[$0] }
    }

    /// Whether it is for those with a token.
    var isGuarded: Bool { if case .open = self.endpoint { false } else { true } }

    /// Whether its endpoint confirms the session.
    var isConfirming: Bool { if case .confirming = self.endpoint { true } else { false } }

    /// Whether it is what load balancers ask, which no limit may keep from it.
    var isHealthCheck: Bool { self.pattern == ["up"] }

    /// The id in `path` (0 for a pattern without one), or nil if the path is not of this pattern.
    func match(_ path: [Substring]) -> Int64? {
        guard path.count == self.pattern.count else { return nil }
        var id: Int64 = 0
        for (part, expected) in zip(path, self.pattern) {
            if expected == "{id}" {
                // One spelling of a number only: what a client compares as text is the same ticket.
                guard let number = Int64(part), number > 0, String(number) == part else { return nil }
                id = number
            } else if part != expected {
                return nil
            }
        }
        return id
    }
}
