internal import Digests
internal import FoundationEssentials
internal import Glibc
internal import NIOPosix
internal import PusherPublisher

/// Everything that is kept about a person, for that person: a request for access to personal data.
///
/// What belongs to the conversation is in it, so the other side's part of the person's own tickets too. Internal notes
/// are the staff's own and are left out, unless the person wrote them. Secrets (password hash, hashes of tokens) never
/// leave the database.
package enum PersonalData {
    /// The number of the document's form; another form gets another number.
    static let format: Int64 = 1

    package struct Document: Sendable {
        /// JSON in UTF-8, ending with a newline.
        package let bytes: [UInt8]
        /// The files that the document names.
        package let attachments: [AttachmentFile]
    }

    /// A file in the data directory, and the name by which the document calls it.
    package struct AttachmentFile: Sendable {
        let file: String
        let name: String
    }

    /// Reads one consistent state. Throws `OperatorRefusal.unknown` when there is no account with this address.
    package static func document(dataDirectory: String, email: String) async throws -> Document {
        try await TicketStore.withExistingTables(dataDirectory: dataDirectory) { tables in
            let user = try tables.account(email)
            let json: JSON = [
                "format": .int(self.format), "exported_at": .string(Timestamp.now().iso8601), "account": user.json,
                "tokens": try tables.tokensJSON(user.id),
                "tickets": try tables.ticketsJSON(of: user.id),
                "in_other_tickets": try tables.contributionsJSON(user.id),
            ]
            return Document(bytes: json.prettyBytes, attachments: try tables.attachmentFiles(ofOwner: user.id))
        }
    }

    /// Writes the document and its attachments into a new directory, which is there when all of it is.
    package static func write(dataDirectory: String, email: String, directory: String) async throws -> Document {
        let document = try await self.document(dataDirectory: dataDirectory, email: email)
        try await NIOThreadPool.singleton.runIfActive {
            let draft = "\(directory).partial-\(Hex.encode(try RandomBytes.make(6)))"
            do {
                for path in [draft, "\(draft)/attachments"] where mkdir(path, 0o700) != 0 {
                    throw StoreFailure("\(path) cannot be made: \(SystemError.last).")
                }
                try Files.create("\(draft)/data.json", Data(document.bytes))
                for attachment in document.attachments {
                    let source = "\(dataDirectory)/attachments/\(attachment.file)"
                    try FileManager.default.copyItem(atPath: source, toPath: "\(draft)/\(attachment.name)")
                }
                try Files.rename(draft, to: directory)
            } catch {
                // Below is why there is no export; that the draft could not be removed either adds nothing.
                try? FileManager.default.removeItem(atPath: draft)
                throw error
            }
        }
        return document
    }
}
