internal import HTTPTypes
internal import Hummingbird

// `ETag` and `If-Match` (RFC 9110, 8.8.3 and 13.1.1). A GET is never answered 304: what depends on the reader, as the
// number of unread messages, changes without the tag.

extension Ticket {
    /// The header with the ticket's strong tag.
    var entityTag: HTTPFields { [.eTag: "\"\(self.version)\""] }
}

extension Call {
    /// The states that `If-Match` allows; any without it. A header that is no list of tags allows none, and neither
    /// does a weak tag, so that nothing is changed by mistake.
    var expectedVersion: ExpectedVersion {
        let fields = self.request.headers[values: .ifMatch]
        return fields.isEmpty ? .any : ExpectedVersion(ifMatch: fields.joined(separator: ","))
    }
}
