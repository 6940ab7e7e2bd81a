internal import Digests
internal import FoundationEssentials
internal import GRDB
internal import PusherPublisher

// What the export says. Times are shown as everywhere in the API.
extension Tables {
    /// Names and times: no secret, and no hash of one.
    func tokensJSON(_ userID: Int64) throws -> JSON {
        .array(
            try self.rows(
                "SELECT id, kind, name, created_at, last_used_at FROM tokens WHERE user_id = ? ORDER BY id", [userID]
            ) { row in
                [
                    "id": .int(row[0]), "kind": .string(row[1]), "name": .string(row[2]), "created_at": .time(row[3]),
                    "last_used_at": .optionalTime(row[4]),
                ]
            })
    }

    /// The user's tickets, whole.
    func ticketsJSON(of userID: Int64) throws -> JSON {
        let ids = try self.rows("SELECT id FROM tickets WHERE user_id = ? ORDER BY id", [userID]) { $0[0] as Int64 }
        return .array(try ids.compactMap { try self.ticket($0) }.map(self.json))
    }

    private func json(_ ticket: Ticket) throws -> JSON {
        [
            "id": .int(ticket.id), "subject": .string(ticket.subject), "description": .string(ticket.description),
            "category": .string(ticket.category.word), "priority": .string(ticket.priority.word),
            "status": .string(ticket.status.word), "assignee": ticket.assignee?.json ?? .null,
            "created_at": .string(ticket.createdAt.iso8601), "updated_at": .string(ticket.updatedAt.iso8601),
            "messages": try self.messagesJSON("c.ticket_id = ?", ticket.id),
            "comments": try self.commentsJSON("x.ticket_id = ? AND x.internal = 0", ticket.id),
            "activity": try self.activityJSON("x.ticket_id = ? AND x.internal = 0", ticket.id),
            "attachments": .array(
                try self.rows(
                    """
                    SELECT id, message_id, name, mime_type, size, sha256, created_at
                    FROM attachments WHERE ticket_id = ? ORDER BY id
                    """, [ticket.id]
                ) { row in
                    [
                        "id": .int(row[0]), "message_id": .optional(row[1] as Int64?), "name": .string(row[2]),
                        "mime_type": .string(row[3]), "size": .int(row[4]),
                        "sha256": .string(Hex.encode([UInt8](row[5] as Data))), "created_at": .time(row[6]),
                        "file": .string(Self.exportName(id: row[0], mimeType: row[3])),
                    ]
                }),
        ]
    }

    /// What the user did in the tickets of others, and marks that the system keeps of the user.
    func contributionsJSON(_ userID: Int64) throws -> JSON {
        let isElsewhere = "x.ticket_id IN (SELECT id FROM tickets WHERE user_id <> ?1)"
        return [
            "assigned_tickets": .array(
                try self.rows("SELECT id FROM tickets WHERE assignee_id = ? ORDER BY id", [userID]) { .int($0[0]) }),
            "messages": try self.messagesJSON("x.sender_id = ?1 AND c.customer_id <> ?1", userID),
            "comments": try self.commentsJSON("x.user_id = ?1 AND \(isElsewhere)", userID),
            "activity": try self.activityJSON("x.user_id = ?1 AND \(isElsewhere)", userID),
            "read_marks": .array(
                try self.rows(
                    """
                    SELECT c.ticket_id, r.message_id FROM read_marks r JOIN chats c ON c.id = r.chat_id
                    WHERE r.user_id = ? ORDER BY c.ticket_id
                    """, [userID]
                ) { ["ticket_id": .int($0[0]), "message_id": .int($0[1])] }),
            "idempotency_keys": .array(
                try self.rows(
                    "SELECT ticket_id, key, created_at FROM idempotency_keys WHERE user_id = ? ORDER BY created_at",
                    [userID]
                ) { ["ticket_id": .int($0[0]), "key": .string($0[1]), "created_at": .time($0[2])] }),
        ]
    }

    /// The files of the user's tickets, by the names that the document gives them.
    func attachmentFiles(ofOwner userID: Int64) throws -> [PersonalData.AttachmentFile] {
        try self.rows(
            """
            SELECT a.file, a.id, a.mime_type FROM attachments a JOIN tickets t ON t.id = a.ticket_id
            WHERE t.user_id = ? ORDER BY a.id
            """, [userID]
        ) { PersonalData.AttachmentFile(file: $0[0], name: Self.exportName(id: $0[1], mimeType: $0[2])) }
    }

    /// Made of the id: the name that came with the file is somebody's text and not to be trusted with a path.
    private static func exportName(id: Int64, mimeType: String) -> String {
        let ending =
            switch mimeType {
            case "image/jpeg": "jpg"
            case "image/png": "png"
            default: "pdf"
            }
        return "attachments/\(id).\(ending)"
    }

    private func messagesJSON(_ condition: String, _ id: Int64) throws -> JSON {
        .array(
            try self.rows(
                """
                SELECT x.id, c.ticket_id, x.content, x.created_at, x.receiver_id, u.id, u.name, u.role
                FROM messages x JOIN chats c ON c.id = x.chat_id JOIN users u ON u.id = x.sender_id
                WHERE \(condition) ORDER BY x.id
                """, [id]
            ) { row in
                [
                    "id": .int(row[0]), "ticket_id": .int(row[1]), "content": .optional(row[2] as String?),
                    "created_at": .time(row[3]), "receiver_id": .optional(row[4] as Int64?),
                    "sender": Participant(row: row, at: 5).json,
                ]
            })
    }

    private func commentsJSON(_ condition: String, _ id: Int64) throws -> JSON {
        .array(
            try self.rows(
                """
                SELECT x.id, x.ticket_id, x.content, x.internal, x.created_at, u.id, u.name, u.role
                FROM comments x JOIN users u ON u.id = x.user_id WHERE \(condition) ORDER BY x.id
                """, [id]
            ) { row in
                [
                    "id": .int(row[0]), "ticket_id": .int(row[1]), "content": .string(row[2]),
                    "internal": .bool(row[3]), "created_at": .time(row[4]), "user": Participant(row: row, at: 5).json,
                ]
            })
    }

    private func activityJSON(_ condition: String, _ id: Int64) throws -> JSON {
        .array(
            try self.rows(
                """
                SELECT x.id, x.ticket_id, x.type, x.changes, x.created_at, u.id, u.name, u.role
                FROM activity x JOIN users u ON u.id = x.user_id WHERE \(condition) ORDER BY x.id
                """, [id]
            ) { row in
                [
                    "id": .int(row[0]), "ticket_id": .int(row[1]), "type": .string(row[2]),
                    "changes": .string(row[3]), "created_at": .time(row[4]), "user": Participant(row: row, at: 5).json,
                ]
            })
    }
}

extension JSON {
    fileprivate static func time(_ microseconds: Int64) -> JSON {
        .string(Timestamp(microseconds: microseconds).iso8601)
    }

    fileprivate static func optionalTime(_ microseconds: Int64?) -> JSON {
        microseconds.map(self.time) ?? .null
    }
}
