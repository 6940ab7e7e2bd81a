internal import Digests
internal import HTTPTypes
internal import Hummingbird
internal import NIOCore

/// `/attachments/{id}`: the original bytes, or some of them.
struct AttachmentEndpoint: Sendable {
    private static let pieceBytes: Int64 = 64 * 1024

    let readTickets: ReadTickets
    let files: AttachmentFiles

    func show(_ call: Call, _ session: Session) async throws -> Response {
        let stored = try await self.readTickets.attachment(call.id, for: session.user)
        let size = stored.attachment.size
        let tag = "\"\(Hex.encode(stored.sha256))\""
        var headers: HTTPFields = [
            .eTag: tag, .acceptRanges: "bytes",
            // Asked for again each time, for who could see it may lose that; the bytes travel once.
            .cacheControl: "private, no-cache",
            .xContentTypeOptions: "nosniff", .contentSecurityPolicy: "sandbox",
        ]
        if Self.holds(call.header(.ifNoneMatch), tag) { return Response(status: .notModified, headers: headers) }
        headers[.contentType] = stored.attachment.type.rawValue
        headers[.contentDisposition] = Self.disposition(stored.attachment.name)

        // Only a GET has a range, and with If-Range only while the file is the one that the client knows.
        let isConditional = call.header(.ifRange).map { $0 == tag } ?? true
        let asked = isConditional && call.request.method == .get ? call.header(.range) : nil
        switch ByteRange(asked, size: size) {
        case .whole:
            return Response(
                status: .ok, headers: headers, body: try await self.body(of: stored, 0..<size))
        case .part(let range):
            headers[.contentRange] = "bytes \(range.lowerBound)-\(range.upperBound - 1)/\(size)"
            return Response(
                status: .partialContent, headers: headers, body: try await self.body(of: stored, range))
        case .unsatisfiable: throw HTTPFailure.rangeNotSatisfiable(size: size)
        }
    }

    /// Reads the next piece when the client has taken the one before.
    private func body(of stored: StoredAttachment, _ range: Range<Int64>) async throws -> ResponseBody {
        let file = try await self.files.open(stored.file, size: stored.attachment.size)
        return ResponseBody(contentLength: range.count) { writer in
            var offset = range.lowerBound
            while offset < range.upperBound {
                let count = min(Self.pieceBytes, range.upperBound - offset)
                try await writer.write(try await self.files.read(file, at: offset, count: Int(count)))
                offset += count
            }
            try await writer.finish(nil)
        }
    }

    /// Whether the list of entity tags holds this one; the weak form of it is as good here (RFC 9110 section 13.1.2).
    private static func holds(_ list: String?, _ tag: String) -> Bool {
        guard let list else { return false }
        return list.split(separator: ",").contains { member in
            let member = member.drop { $0 == " " || $0 == "\t" }.prefix { $0 != " " && $0 != "\t" }
            return member == tag || member == "W/\(tag)" || member == "*"
        }
    }

    /// The name for everybody, and in ASCII for those who know no other (RFC 6266). Nothing of it can end the field.
    private static func disposition(_ name: String) -> String {
        let plain = name.unicodeScalars.map { scalar -> Character in
            let isLetter = scalar.isASCII && scalar.properties.isAlphabetic
            return isLetter || " .-_()0123456789".unicodeScalars.contains(scalar) ? Character(scalar) : "_"
        }
        return "attachment; filename=\"\(String(plain))\"; filename*=UTF-8''\(FormCoding.encode(name))"
    }
}
