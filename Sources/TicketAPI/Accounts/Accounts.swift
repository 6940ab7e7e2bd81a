internal import Digests
internal import NIOPosix

/// Accounts from the command line. Works while a server is running, and without one.
package enum Accounts {
    /// Makes an account and returns its id. Without a name it is called after its address.
    ///
    /// Throws an error whose description is one line for the operator: the address is taken or none, the password has
    /// fewer than 8 or more than 1,024 characters, the database cannot be used.
    package static func create(
        dataDirectory: String, email: String, name: String?, role: Role, password: String
    ) async throws -> Int64 {
        var fields = Validator(
            Input(fields: [
                "email": email, "name": name ?? String(email.prefix { $0 != "@" }), "password": password,
            ]))
        let checkedName = fields.text("name", max: 255)
        let checkedEmail = fields.email("email")
        let checkedPassword = fields.password("password", min: Validator.newPasswordMin)
        guard fields.errors.isEmpty, let checkedName, let checkedEmail, let checkedPassword else {
            throw AccountRefusal(fields.errors)
        }
        return try await NIOThreadPool.singleton.runIfActive {
            let account = NewAccount(
                name: checkedName, email: checkedEmail, role: role,
                passwordHash: try PasswordHash.make(checkedPassword, cost: .standard))
            return try TicketStore.withTables(dataDirectory: dataDirectory) { tables in
                do {
                    return try tables.insertUser(account, now: .now()).id
                } catch TicketFailure.invalid(let errors) {
                    throw AccountRefusal(errors)
                }
            }
        }
    }

    /// All accounts, or those of a role, the oldest first.
    package static func list(dataDirectory: String, role: Role?) async throws -> [User] {
        try await TicketStore.withExistingTables(dataDirectory: dataDirectory) { try $0.users(role: role) }
    }

    /// The account with this address. Throws `OperatorRefusal.unknown` when there is none.
    package static func find(dataDirectory: String, email: String) async throws -> User {
        try await TicketStore.withExistingTables(dataDirectory: dataDirectory) { try $0.account(email) }
    }

    /// Gives an account a role, with all that follows from it; false when it has it already. The last admin cannot be
    /// demoted. What this process leaves undone when it is ended, a server finishes.
    package static func setRole(_ role: Role, email: String, dataDirectory: String) async throws -> Bool {
        let (user, isDemoted) = try await TicketStore.withExistingTables(dataDirectory: dataDirectory) { tables in
            let user = try tables.account(email)
            return (user, try tables.changeRoleOrRefuse(of: user, to: role))
        }
        var hasMore = isDemoted
        while hasMore {
            hasMore = try await TicketStore.withExistingTables(dataDirectory: dataDirectory) { tables in
                try tables.handOver(from: user.id, by: nil, limit: Handover.batch, now: .now())
            }
        }
        return user.role != role
    }

    /// Gives an account another password and ends all its tokens and sessions.
    package static func resetPassword(dataDirectory: String, email: String, password: String) async throws {
        var fields = Validator(Input(fields: ["password": password]))
        guard let checked = fields.password("password", min: Validator.newPasswordMin), fields.errors.isEmpty else {
            throw AccountRefusal(fields.errors)
        }
        let hash = try await NIOThreadPool.singleton.runIfActive { try PasswordHash.make(checked, cost: .standard) }
        try await TicketStore.withExistingTables(dataDirectory: dataDirectory) { tables in
            let user = try tables.account(email)
            try tables.setPassword(hash, of: user.id)
            try tables.revokeTokens(of: user.id)
        }
    }
}

extension Tables {
    /// The account that an operator names by its address.
    func account(_ email: String) throws -> User {
        guard let user = try self.user(emailKey: EmailAddress.key(email)) else {
            throw OperatorRefusal.unknown("There is no account with the address \(email).")
        }
        return user
    }

    /// `changeRole`, with a refusal in the operator's terms.
    func changeRoleOrRefuse(of user: User, to role: Role) throws -> Bool {
        do {
            return try self.changeRole(of: user, to: role)
        } catch TicketFailure.invalid(let errors) {
            throw OperatorRefusal.refused(errors.summary)
        }
    }
}

/// Why an account was not made, in one line.
package struct AccountRefusal: Error, CustomStringConvertible {
    package let description: String

    init(_ errors: ValidationErrors) {
        self.description = errors.fields.flatMap(\.messages).joined(separator: " ")
    }
}
