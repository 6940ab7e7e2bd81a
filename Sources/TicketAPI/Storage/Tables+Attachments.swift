internal import FoundationEssentials
internal import GRDB

extension Tables {
    /// Stores files of a ticket, or of one message in its chat.
    func insertAttachments(
        _ files: [NewAttachment], ofTicket ticketID: Int64, message messageID: Int64? = nil, now: Timestamp
    ) throws -> [Attachment] {
        try files.map { file in
            let id = try self.insert(
                """
                INSERT INTO attachments (ticket_id, message_id, name, mime_type, size, sha256, file, created_at)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?)
                """,
                [
                    ticketID, messageID, file.name, file.type.rawValue, file.size, Data(file.sha256), file.file,
                    now.microseconds,
                ])
            return Attachment(id: id, name: file.name, type: file.type, size: file.size)
        }
    }

    /// The tickets' own attachments, without those of their messages, by ticket.
    func attachments(ofTickets ids: [Int64]) throws -> [Int64: [Attachment]] {
        try self.attachments(ids, "ticket_id", "AND message_id IS NULL")
    }

    /// The messages' attachments, by message.
    func attachments(ofMessages ids: [Int64]) throws -> [Int64: [Attachment]] {
        try self.attachments(ids, "message_id")
    }

    func storedAttachment(_ id: Int64) throws -> StoredAttachment? {
        try self.row(
            "SELECT id, name, mime_type, size, ticket_id, sha256, file FROM attachments WHERE id = ?", [id]
        ) { row in
            StoredAttachment(
                ticketID: row[4], attachment: Attachment(row: row, at: 0), sha256: [UInt8](row[5] as Data),
                file: row[6])
        }
    }

    /// Whether some attachment has this file.
    func hasFile(_ file: String) throws -> Bool {
        try self.row("SELECT 1 FROM attachments WHERE file = ?", [file]) { _ in true } ?? false
    }

    /// Files that nobody has any more and that may still be there.
    func discardedFiles(limit: Int64) throws -> [String] {
        try self.rows("SELECT file FROM discarded_files LIMIT ?", [limit]) { $0[0] }
    }

    func forgetDiscardedFiles(_ files: [String]) throws {
        for file in files { try self.run("DELETE FROM discarded_files WHERE file = ?", [file]) }
    }

    /// One query however many ids.
    private func attachments(
        _ ids: [Int64], _ column: String, _ condition: String = ""
    ) throws -> [Int64: [Attachment]] {
        guard !ids.isEmpty else { return [:] }
        let list = "[\(ids.map(String.init).joined(separator: ","))]"
        let found = try self.rows(
            """
            SELECT \(column), id, name, mime_type, size FROM attachments
            WHERE \(column) IN (SELECT value FROM json_each(?)) \(condition) ORDER BY id
            """, [list]
        ) { row in (owner: row[0] as Int64, attachment: Attachment(row: row, at: 1)) }
        return Dictionary(grouping: found, by: \.owner).mapValues { $0.map(\.attachment) }
    }
}

extension Attachment {
    /// From columns `offset`…`offset + 3`: id, name, mime_type, size. The schema allows no other types.
    fileprivate init(row: Row, at offset: Int) {
        self.init(
            id: row[offset], name: row[offset + 1], type: AttachmentType(rawValue: row[offset + 2]) ?? .pdf,
            size: row[offset + 3])
    }
}
