internal import HTTPTypes

/// Knows who calls: by the bearer token, else by the session cookie.
struct Authentication: Sendable {
    let sessions: Sessions
    let cookieMode: CookieMode

    /// Throws `unauthenticated`, and for a session that would change something without its CSRF token, `csrfMismatch`.
    ///
    /// `method` is what the call means, which may be another than that of its request.
    func callAsFunction(_ call: inout Call, method: HTTPRequest.Method) async throws -> Session {
        if let token = call.bearerToken {
            return try await self.sessions(AccessToken.Presented(token, as: .token))
        }
        let session = try await self.sessions(call.sessionCookie?.session)
        if method != .get { try await self.cookieMode.admit(&call) }
        return session
    }
}
