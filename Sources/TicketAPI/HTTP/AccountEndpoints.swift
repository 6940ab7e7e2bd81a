internal import HTTPTypes
internal import Hummingbird
internal import PusherPublisher

/// `/register`, `/login`, `/logout`, `/user`, `/user/password`.
struct AccountEndpoints: Sendable {
    let registerAccount: RegisterAccount
    let login: LogIn
    let passwordChange: ChangePassword
    let sessions: Sessions
    let cookieMode: CookieMode

    func register(_ call: Call) async throws -> Response {
        var call = call
        try await self.cookieMode.admit(&call)
        var fields = Validator(try await call.input())
        let name = fields.text("name", max: 255)
        let email = fields.email("email")
        if let email, try await self.registerAccount.isTaken(email: email) {
            fields.add("email", "The email has already been taken.")
        }
        let password = fields.newPassword("password")
        try fields.finish()
        guard let name, let email, let password else { throw TicketFailure.invalid(fields.errors) }
        let (token, user) = try await self.registerAccount(
            name: name, email: email, password: password, wish: self.cookieMode.wish(call, deviceName: nil))
        return self.welcome(.created, user, token, call)
    }

    func logIn(_ call: Call) async throws -> Response {
        var call = call
        try await self.cookieMode.admit(&call)
        var fields = Validator(try await call.input())
        let email = fields.text("email", max: 255)
        let password = fields.password("password")
        let deviceName = fields.optionalText("device_name", max: 255)
        try fields.finish()
        guard let email, let password else { throw TicketFailure.invalid(fields.errors) }
        let (token, user) = try await self.login(
            email: email, password: password, address: call.address,
            wish: self.cookieMode.wish(call, deviceName: deviceName))
        return self.welcome(.ok, user, token, call)
    }

    func logOut(_ call: Call, _ session: Session) async throws -> Response {
        try await self.sessions.logOut(session)
        var response = Response.json(.ok, ["message": "Logged out"])
        // The page that is still there can log in again.
        if session.kind == .session { self.cookieMode.set(try .guest(), on: &response, of: call) }
        return response
    }

    func user(_ call: Call, _ session: Session) async throws -> Response {
        .json(.ok, session.user.json)
    }

    func changePassword(_ call: Call, _ session: Session) async throws -> Response {
        var fields = Validator(try await call.input())
        let current = fields.password("current_password")
        let new = fields.newPassword("password")
        try fields.finish()
        guard let current, let new else { throw TicketFailure.invalid(fields.errors) }
        let renewed = try await self.passwordChange(
            from: current, to: new, by: session, address: call.address,
            renewal: self.cookieMode.wish(call, deviceName: nil))
        var response = Response.json(.ok, ["message": "Password changed"])
        if let renewed { self.cookieMode.set(SessionCookie(renewed), on: &response, of: call) }
        return response
    }

    /// A program gets the token to keep. A browser gets a cookie, and no token that a script could lose.
    private func welcome(
        _ status: HTTPResponse.Status, _ user: User, _ token: AccessToken, _ call: Call
    ) -> Response {
        switch token.kind {
        case .token: return .json(status, ["token": .string(token.text), "user": user.json])
        case .session:
            var response = Response.json(status, ["user": user.json])
            self.cookieMode.set(SessionCookie(token), on: &response, of: call)
            return response
        }
    }
}
