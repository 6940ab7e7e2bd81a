internal import Hummingbird
internal import PusherPublisher

/// `/register`, `/login`, `/logout`, `/user`.
struct AccountEndpoints: Sendable {
    let registerAccount: RegisterAccount
    let login: LogIn
    let sessions: Sessions

    func register(_ call: Call) async throws -> Response {
        var fields = Validator(try await call.input())
        let name = fields.text("name", max: 255)
        let email = fields.email("email")
        if let email, try await self.registerAccount.isTaken(email: email) {
            fields.add("email", "The email has already been taken.")
        }
        let password = fields.newPassword("password")
        try fields.finish()
        guard let name, let email, let password else { throw TicketFailure.invalid(fields.errors) }
        let (token, user) = try await self.registerAccount(name: name, email: email, password: password)
        return .json(.created, ["token": .string(token.text), "user": user.json])
    }

    func logIn(_ call: Call) async throws -> Response {
        var fields = Validator(try await call.input())
        let email = fields.text("email", max: 255)
        let password = fields.password("password")
        let deviceName = fields.optionalText("device_name", max: 255)
        try fields.finish()
        guard let email, let password else { throw TicketFailure.invalid(fields.errors) }
        let (token, user) = try await self.login(
            email: email, password: password, deviceName: deviceName, address: call.address)
        return .json(.ok, ["token": .string(token.text), "user": user.json])
    }

    func logOut(_ call: Call, _ session: Session) async throws -> Response {
        try await self.sessions.logOut(session)
        return .json(.ok, ["message": "Logged out"])
    }

    func user(_ call: Call, _ session: Session) async throws -> Response {
        .json(.ok, session.user.json)
    }
}
