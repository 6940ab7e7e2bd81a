internal import Digests
internal import HTTPTypes
internal import Hummingbird

/// The browser's way to be known: a session cookie, and for whatever changes something a token beside it that no page of
/// another site can read.
///
/// The CSRF token is the HMAC-SHA256 of the session cookie, so it needs no memory and changes with the session.
struct CookieMode: Sendable {
    /// What Angular and axios read, and send back as `X-XSRF-TOKEN`.
    private static let csrfName = "XSRF-TOKEN"
    /// How long a browser keeps both cookies, in seconds: as long as browsers keep any (400 days). When a session ends,
    /// this server decides.
    private static let maxAge = 400 * 86_400

    private let key: HMACSHA256

    init(csrfKey: [UInt8]) {
        self.key = HMACSHA256(key: csrfKey)
    }

    /// `GET /sanctum/csrf-cookie`: begins a guest's session unless there is one, and shows its CSRF token.
    func begin(_ call: Call) async throws -> Response {
        var response = Response(status: .noContent, headers: [.cacheControl: "no-cache, private"])
        self.set(try call.sessionCookie ?? .guest(), on: &response, of: call)
        return response
    }

    /// Throws `csrfMismatch` unless a call with a session cookie has its CSRF token too. Other calls need none.
    ///
    /// The token is in one of two header fields; without either, the body is read for its `_token`.
    func admit(_ call: inout Call) async throws {
        guard let cookie = call.sessionCookie, try !self.isShown(inHeadersOf: call, cookie) else { return }
        do {
            try await call.readBody()
        } catch is HTTPFailure {
            throw HTTPFailure.csrfMismatch
        }
        guard case .text(let text) = try await call.input()["_token"],
            self.key.code(for: cookie.text).matches(hex: text)
        else { throw HTTPFailure.csrfMismatch }
    }

    /// Throws `csrfMismatch` when the call's header fields have a wrong token: then its body need not be read.
    func checkHeaders(_ call: Call) throws(HTTPFailure) {
        if let cookie = call.sessionCookie { _ = try self.isShown(inHeadersOf: call, cookie) }
    }

    /// Whether a header field has the token; false when no field has any. Throws `csrfMismatch` for a wrong one.
    private func isShown(inHeadersOf call: Call, _ cookie: SessionCookie) throws(HTTPFailure) -> Bool {
        let shown = [HTTPField.Name.xsrfToken, .csrfToken].compactMap { call.header($0) }
        if shown.isEmpty { return false }
        let expected = self.key.code(for: cookie.text)
        guard shown.contains(where: { expected.matches(hex: $0) }) else { throw .csrfMismatch }
        return true
    }

    /// What whoever logs in by this call is to get: a session in the place of the one that the browser has, or a token.
    func wish(_ call: Call, deviceName: String?) -> AccessToken.Wish {
        guard let cookie = call.sessionCookie else { return .token(name: deviceName) }
        let browser = call.header(.userAgent).flatMap { $0.isEmpty ? nil : String($0.unicodeScalars.prefix(255)) }
        return AccessToken.Wish(
            kind: .session, name: deviceName ?? browser ?? "browser", replacing: cookie.session)
    }

    func set(_ cookie: SessionCookie, on response: inout Response, of call: Call) {
        let attributes = "Max-Age=\(Self.maxAge); Path=/; SameSite=Lax" + (call.usesTLS ? "; Secure" : "")
        for text in [
            "\(SessionCookie.name)=\(cookie.text); \(attributes); HttpOnly",
            "\(Self.csrfName)=\(self.key.code(for: cookie.text).hex); \(attributes)",
        ] {
            response.headers.append(HTTPField(name: .setCookie, value: text))
        }
    }
}
