internal import FoundationEssentials
internal import HTTPTypes
internal import Hummingbird
internal import NIOCore
internal import PusherProtocol

/// What Hummingbird knows of a connection beside the request.
struct ConnectionContext: InitializableFromSource {
    /// The caller's network address, without the port.
    let address: String
    private let channel: any Channel

    init(source: ApplicationRequestContextSource) {
        self.channel = source.channel
        self.address = source.channel.remoteAddress?.ipAddress ?? "unknown"
    }

    /// The body of the request is about to be read: a client that waits to be asked for it is asked.
    func wantsBody() {
        self.channel.triggerUserOutboundEvent(RequestBodyHandler.BodyIsWanted(), promise: nil)
    }
}

/// One request on its way to its endpoint.
struct Call: Sendable {
    let request: Request
    let connection: ConnectionContext
    /// The client's network address.
    let address: String
    /// Whether the client came by TLS.
    let usesTLS: Bool
    /// The path as it was asked for, without the query.
    let path: String
    /// The `{id}` of the route, if it has one.
    let id: Int64
    /// What the body says, when it was read already.
    var body: ReceivedBody?

    /// The fields of the query string.
    var query: Input { Input(form: self.request.uri.query ?? "") }

    /// The files of the body, for a route that takes files.
    var uploads: [Upload] { self.body?.uploads ?? [] }

    /// The fields of the body. Throws `HTTPFailure` when it is too large, of another type, or malformed.
    func input() async throws -> Input {
        if let body = self.body { return body.input }
        return try await BodyReader.read(self.request, on: self.connection).input
    }

    /// Reads the body now and keeps what it says. Throws as `input` does.
    mutating func readBody() async throws {
        if self.body == nil { self.body = try await BodyReader.read(self.request, on: self.connection) }
    }

    func header(_ name: HTTPField.Name) -> String? { self.request.headers[name] }

    /// The connection that is left out of what this request publishes.
    ///
    /// Echo sends "undefined" while it is not connected, so what is no socket id leaves nobody out. One that is
    /// longer than any server makes them is none.
    var socketID: String? {
        guard let text = self.header(.socketID), text.utf8.count <= 40, SocketID.Reference(text) != nil else {
            return nil
        }
        return text
    }

    /// The token of `Authorization: Bearer {token}`.
    var bearerToken: String? {
        guard let value = self.request.headers[.authorization], value.utf8.count > 7,
            value.prefix(7).lowercased() == "bearer "
        else { return nil }
        return String(value.dropFirst(7))
    }

    /// The session cookie of a browser, for which a bearer token leaves no room.
    var sessionCookie: SessionCookie? {
        guard self.bearerToken == nil else { return nil }
        return self.request.headers.cookie(SessionCookie.name) { SessionCookie($0) }
    }

    /// Where the client reached this server, as a URL without a path; empty for an HTTP/1.0 client that does not say.
    var root: String {
        self.request.head.authority.map { (self.usesTLS ? "https://" : "http://") + $0 } ?? ""
    }
}
