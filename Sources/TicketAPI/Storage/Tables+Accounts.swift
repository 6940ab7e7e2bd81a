internal import FoundationEssentials
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

    /// The account if it exists.
    func participant(_ id: Int64) throws -> Participant? {
        try self.row("SELECT id, name, role FROM users WHERE id = ?", [id]) { Participant(row: $0, at: 0) }
    }

    func insertToken(userID: Int64, name: String, secretHash: [UInt8], now: Timestamp) throws -> Int64 {
        try self.insert(
            "INSERT INTO tokens (user_id, name, secret_sha256, created_at) VALUES (?, ?, ?, ?)",
            [userID, name, Data(secretHash), now.microseconds])
    }

    func token(_ id: Int64) throws -> (user: User, secretHash: [UInt8])? {
        try self.row(
            """
            SELECT u.id, u.name, u.email, u.role, u.created_at, t.secret_sha256
            FROM tokens t JOIN users u ON u.id = t.user_id WHERE t.id = ?
            """, [id]
        ) { (user: User(row: $0), secretHash: [UInt8]($0[5] as Data)) }
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
