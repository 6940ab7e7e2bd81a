import NIOHTTP1
import Synchronization
import TicketAPI

/// A browser with a page of the API's own site: it keeps cookies, and shows the CSRF token as axios does.
final class Browser: Sendable {
    private let api: TicketHarness
    private let cookies = Mutex<[String: String]>([:])
    private let headers: [(String, String)]

    init(_ api: TicketHarness, headers: [(String, String)] = []) {
        self.api = api
        self.headers = headers
    }

    var session: String? { self.cookies.withLock { $0["switchboard_session"] } }
    var csrfToken: String? { self.cookies.withLock { $0["XSRF-TOKEN"] } }
    var cookieHeader: String {
        self.cookies.withLock { $0.map { "\($0.key)=\($0.value)" }.sorted().joined(separator: "; ") }
    }

    /// - Parameter csrf: a field that is sent instead of `X-XSRF-TOKEN`; empty for none.
    @discardableResult
    func call(
        _ method: HTTPMethod, _ path: String, json: String? = nil, form: String? = nil,
        csrf: [(String, String)]? = nil, headers: [(String, String)] = []
    ) async throws -> TicketHarness.Reply {
        var all = self.headers + headers
        let cookieHeader = self.cookieHeader
        if !cookieHeader.isEmpty { all.append(("Cookie", cookieHeader)) }
        all += csrf ?? self.csrfToken.map { [("X-XSRF-TOKEN", $0)] } ?? []
        let reply = try await self.api.call(method, path, json: json, form: form, headers: all)
        for cookie in reply.headers["Set-Cookie"] {
            let pair = cookie.prefix { $0 != ";" }.split(separator: "=", maxSplits: 1).map(String.init)
            self.cookies.withLock { $0[pair[0]] = pair.count > 1 ? pair[1] : "" }
        }
        return reply
    }

    /// With a session of its own afterwards.
    @discardableResult
    func logIn(_ email: String, password: String = "long enough") async throws -> TicketHarness.Reply {
        try await self.call(.GET, "/sanctum/csrf-cookie")
        return try await self.call(.POST, "/login", json: #"{"email":"\#(email)","password":"\#(password)"}"#)
    }

    /// The status of a request that needs to be logged in.
    var standing: Int {
        get async throws { try await self.call(.GET, "/user").status }
    }
}
