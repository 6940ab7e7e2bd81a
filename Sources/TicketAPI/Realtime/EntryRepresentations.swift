internal import PusherPublisher

extension Comment: TicketEntry {
    func json(isInternal: Bool) -> JSON {
        .object(self.members(content: .string(self.content), isInternal: isInternal))
    }

    /// The reader finds the text in the list, by the comment's id.
    func shortJSON(isInternal: Bool) -> JSON {
        .object(self.members(content: .null, isInternal: isInternal) + [("truncated", true)])
    }

    private func members(content: JSON, isInternal: Bool) -> [(name: String, value: JSON)] {
        [
            ("id", .int(self.id)), ("ticket_id", .int(self.ticketID)), ("content", content),
            ("internal", .bool(isInternal)), ("user", self.author.json),
            ("created_at", .string(self.createdAt.iso8601)),
        ]
    }
}

extension Activity: TicketEntry {
    func json(isInternal: Bool) -> JSON {
        [
            "id": .int(self.id), "type": .string(self.kind.rawValue), "user": self.actor?.json ?? .null,
            "changes": .written(self.changes), "created_at": .string(self.createdAt.iso8601),
        ]
    }
}

extension Ticket {
    /// Code points of a description that the activity keeps: enough to know it by.
    static let maxRecordedDescription = 100

    /// What differs in `other`, as `{"field": [old, new]}` in the words of the wire.
    func changes(to other: Ticket) -> JSON {
        var members: [(name: String, value: JSON)] = []
        func add<T: Equatable>(_ field: String, _ value: (Ticket) -> T, _ json: (T) -> JSON) {
            let (old, new) = (value(self), value(other))
            if old != new { members.append((field, [json(old), json(new)])) }
        }
        add("subject", \.subject, JSON.string)
        add("description", \.description) { .string(Self.cut($0)) }
        add("category", \.category.word, JSON.string)
        add("priority", \.priority.word, JSON.string)
        add("status", \.status.word, JSON.string)
        add("assigned_to", \.assignee?.id, JSON.optional)
        return .object(members)
    }

    private static func cut(_ text: String) -> String {
        let scalars = text.unicodeScalars
        guard scalars.count > self.maxRecordedDescription else { return text }
        return String(String.UnicodeScalarView(scalars.prefix(self.maxRecordedDescription))) + "…"
    }
}
