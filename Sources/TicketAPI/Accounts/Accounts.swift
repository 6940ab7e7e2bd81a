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
}

/// Why an account was not made, in one line.
package struct AccountRefusal: Error, CustomStringConvertible {
    package let description: String

    init(_ errors: ValidationErrors) {
        self.description = errors.fields.flatMap(\.messages).joined(separator: " ")
    }
}
