internal import GRDB

extension Tables {
    func hasUser(emailKey: String) throws -> Bool {
        try self.row("SELECT 1 FROM users WHERE email_key = ?", [emailKey]) { _ in true } ?? false
    }

    /// Adds an account. Throws `TicketFailure.invalid` when the address is taken.
    func insertUser(_ account: NewAccount, now: Timestamp) throws -> User {
        let key = EmailAddress.key(account.email)
        guard try !self.hasUser(emailKey: key) else {
            throw TicketFailure.invalid(ValidationErrors("email", "The email has already been taken."))
        }
        let id = try self.insert(
            "INSERT INTO users (name, email, email_key, role, password_hash, created_at) VALUES (?, ?, ?, ?, ?, ?)",
            [account.name, account.email, key, account.role.rawValue, account.passwordHash, now.microseconds])
        return User(id: id, name: account.name, email: account.email, role: account.role, createdAt: now)
    }

    func login(emailKey: String) throws -> (user: User, passwordHash: String)? {
        try self.row(
            "SELECT id, name, email, role, created_at, password_hash FROM users WHERE email_key = ?", [emailKey]
        ) { (user: User(row: $0), passwordHash: $0[5]) }
    }

    func user(emailKey: String) throws -> User? {
        try self.row("SELECT id, name, email, role, created_at FROM users WHERE email_key = ?", [emailKey]) {
            User(row: $0)
        }
    }

    /// All accounts, or those of a role, the oldest first.
    func users(role: Role?) throws -> [User] {
        try self.rows(
            "SELECT id, name, email, role, created_at FROM users WHERE role = ?1 OR ?1 IS NULL ORDER BY id",
            [role?.rawValue]
        ) { User(row: $0) }
    }

    func setPassword(_ hash: String, of userID: Int64) throws {
        try self.run("UPDATE users SET password_hash = ? WHERE id = ?", [hash, userID])
    }

    /// The account if it exists.
    func participant(_ id: Int64) throws -> Participant? {
        try self.row("SELECT id, name, role FROM users WHERE id = ?", [id]) { Participant(row: $0, at: 0) }
    }

    /// Replaces a password's hash; false when it is not `old` any more.
    func changePassword(of userID: Int64, from old: String, to new: String) throws -> Bool {
        try self.run("UPDATE users SET password_hash = ? WHERE id = ? AND password_hash = ?", [new, userID, old])
        return self.db.changesCount > 0
    }

    func hasPassword(_ hash: String, userID: Int64) throws -> Bool {
        try self.row("SELECT 1 FROM users WHERE id = ? AND password_hash = ?", [userID, hash]) { _ in true } ?? false
    }
}

extension User {
    /// From the first five columns: id, name, email, role, created_at.
    init(row: Row) {
        self.init(
            id: row[0], name: row[1], email: row[2], role: Role(column: row[3]),
            createdAt: Timestamp(microseconds: row[4]))
    }
}
