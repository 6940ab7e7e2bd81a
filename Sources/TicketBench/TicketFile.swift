import GRDB

/// The database of a data directory while no server runs.
struct TicketFile {
    let directory: String

    private static let words = [
        "account", "after", "again", "because", "cannot", "charge", "client", "delivery", "device", "error", "firmware",
        "invoice", "login", "message", "monitor", "network", "nothing", "order", "password", "payment", "please",
        "refund",
        "report", "restart", "screen", "server", "setup", "slow", "support", "system", "team", "ticket", "update",
        "upload", "user", "version", "warranty", "week", "window", "yesterday",
    ]
    private static let customers = 1000

    /// Adds accounts, tickets and three messages to each. Always the same ones: "printer" in every fifth ticket,
    /// "zeppelin" in every ten thousandth. The two accounts that are there already (1, an admin, and 2, a customer)
    /// have their share: a third of the tickets are assigned to the first, one in a hundred is the second's.
    func fill(tickets: Int) throws {
        let database = try DatabaseQueue(path: "\(self.directory)/tickets.sqlite")
        var dice = Dice()
        try database.writeWithoutTransaction { db in
            try db.execute(sql: "PRAGMA synchronous = OFF")
            try db.inTransaction {
                try self.addCustomers(db)
                for number in 1...tickets { try self.addTicket(number, db, &dice) }
                return .commit
            }
            _ = try db.checkpoint(.truncate)
        }
        try database.close()
    }

    private func addCustomers(_ db: Database) throws {
        let statement = try db.makeStatement(
            sql: """
                INSERT INTO users (name, email, email_key, role, password_hash, created_at)
                VALUES (?, ?, ?, 'customer', 'none', 0)
                """)
        for number in 1...Self.customers {
            let email = "seeded\(number)@example.org"
            try statement.execute(arguments: ["Seeded \(number)", email, email])
        }
    }

    private func addTicket(_ number: Int, _ db: Database, _ dice: inout Dice) throws {
        let owner = number % 100 == 0 ? 2 : 3 + dice.roll(Self.customers)
        let assignee: Int? = dice.roll(3) == 0 ? 1 : nil
        let created = 1_700_000_000_000_000 + number * 1_000_000
        var description = Self.sentence(12, &dice)
        if dice.roll(5) == 0 { description += " printer" }
        if number % 10_000 == 0 { description += " zeppelin" }
        try db.cachedStatement(
            sql: """
                INSERT INTO tickets
                    (user_id, assignee_id, subject, description, category, priority, status, created_at, updated_at)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
                """
        ).execute(arguments: [
            owner, assignee, Self.sentence(5, &dice), description, dice.roll(3), dice.roll(3), dice.roll(4), created,
            created + dice.roll(1_000_000_000_000),
        ])
        let ticket = db.lastInsertedRowID
        try db.cachedStatement(sql: "INSERT INTO chats (ticket_id, customer_id, admin_id) VALUES (?, ?, 1)")
            .execute(arguments: [ticket, owner])
        let chat = db.lastInsertedRowID
        for index in 0..<3 {
            let (sender, receiver) = index == 1 ? (1, owner) : (owner, 1)
            try db.cachedStatement(
                sql: """
                    INSERT INTO messages (chat_id, sender_id, receiver_id, content, created_at) VALUES (?, ?, ?, ?, ?)
                    """
            ).execute(arguments: [chat, sender, receiver, Self.sentence(14, &dice), created + index])
        }
    }

    private static func sentence(_ length: Int, _ dice: inout Dice) -> String {
        (0..<length).map { _ in self.words[dice.roll(self.words.count)] }.joined(separator: " ")
    }

    /// The same numbers in every run (xorshift64).
    private struct Dice {
        private var state: UInt64 = 20_261_123

        /// 0 ..< `sides`.
        mutating func roll(_ sides: Int) -> Int {
            self.state ^= self.state << 13
            self.state ^= self.state >> 7
            self.state ^= self.state << 17
            return Int(self.state % UInt64(sides))
        }
    }
}
