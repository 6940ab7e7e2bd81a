internal import Digests
internal import NIOPosix

/// Accounts, tickets and chats to look at. Nothing of it is published.
package enum DemoSeed {
    /// Plants the demo unless its admin is there already.
    package static func plant(dataDirectory: String) async throws {
        try await NIOThreadPool.singleton.runIfActive {
            try TicketStore.withTables(dataDirectory: dataDirectory) { tables in
                guard try !tables.hasUser(emailKey: EmailAddress.key(self.adminEmail)) else { return }
                try self.plant(tables, now: .now())
            }
        }
    }

    private static let adminEmail = "admin@example.com"

    private static func plant(_ tables: Tables, now: Timestamp) throws {
        let hash = try PasswordHash.make("password", cost: .standard)
        func add(_ name: String, _ email: String, _ role: Role, _ passwordHash: String) throws -> User {
            try tables.insertUser(
                NewAccount(name: name, email: email, role: role, passwordHash: passwordHash), now: now)
        }
        let admin = try add("Admin", self.adminEmail, .admin, hash)
        let test = try add(
            "Test User", "test@gmail.com", .customer, try PasswordHash.make("11223344", cost: .standard))
        var customers = [test]
        for name in ["Ada", "Grace", "Linus", "Margaret", "Dennis"] {
            customers.append(try add(name, "\(name.lowercased())@example.com", .customer, hash))
        }
        for (index, story) in self.stories.enumerated() {
            let owner = customers[index % customers.count]
            let openedAt = now.advanced(bySeconds: Int64(index - self.stories.count) * 3600)
            try self.tell(story, of: owner, to: admin, in: tables, openedAt: openedAt)
        }
    }

    private static func tell(
        _ story: Story, of owner: User, to admin: User, in tables: Tables, openedAt: Timestamp
    ) throws {
        let opened = try tables.insertTicket(story.draft, owner: owner.participant, now: openedAt)
        try tables.recordOpening(of: opened)
        var ticket = opened
        ticket.status = story.status
        ticket.assignee = story.status == .open ? nil : admin.participant
        if ticket != opened {
            ticket.updatedAt = openedAt.advanced(bySeconds: Int64(story.lines.count + 1) * 60)
            try tables.updateTicket(ticket)
            try tables.recordChange(from: opened, to: ticket, by: admin.id)
        }
        guard !story.lines.isEmpty else { return }
        let chat = try tables.openChat(of: ticket)
        for (index, line) in story.lines.enumerated() {
            let sender = index.isMultiple(of: 2) ? owner : admin
            _ = try tables.insertMessage(
                line, in: chat, from: sender.participant, now: openedAt.advanced(bySeconds: Int64(index + 1) * 60))
        }
    }

    /// A ticket and what was said about it: the customer begins, and the two take turns.
    private struct Story {
        let draft: TicketDraft
        let status: Status
        let lines: [String]

        init(
            _ subject: String, _ description: String, _ category: Category, _ priority: Priority, _ status: Status,
            _ lines: [String]
        ) {
            self.draft = TicketDraft(
                subject: subject, description: description, category: category, priority: priority)
            self.status = status
            self.lines = lines
        }
    }

    private static let stories = [
        Story(
            "Cannot log in on my phone", "The app says that my password is wrong. It works in the browser.",
            .technical, .high, .inProgress,
            [
                "Hello, I cannot log in on my phone since this morning.", "Which version of the app do you use?",
                "4.2.1, on Android.", "Thank you. That version has a known fault; 4.2.2 is on its way to the store.",
            ]),
        Story(
            "Invoice for October is missing", "I have invoices for all months but October.", .billing, .medium, .open,
            ["Could you send me the invoice for October?"]),
        Story(
            "How do I add a colleague?", "We are two now and want to see the same projects.", .general, .low,
            .resolved,
            ["Where can I add a colleague?", "Under Settings, Team. Each plan has five seats.", "Found it, thanks!"]),
        Story(
            "Export stops at 10,000 rows", "The CSV has 10,000 rows, the table has 12,345.", .technical, .medium,
            .open, []),
        Story(
            "Charged twice", "My card was charged twice on the 3rd.", .billing, .high, .inProgress,
            ["I was charged twice!", "I see both charges and have returned one of them. It takes up to three days."]),
        Story(
            "Dark mode", "Is there a dark mode?", .general, .low, .closed,
            ["Is there a dark mode?", "There is: Settings, Appearance."]),
        Story(
            "Two-factor codes come late", "The text message takes ten minutes.", .technical, .high, .open,
            ["The codes are expired when they arrive."]),
    ]
}
