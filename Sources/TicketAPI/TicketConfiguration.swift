package import Addresses
package import PusherProtocol
package import PusherPublisher

/// Everything the ticket API is told at its start. Values only; of these, the credentials can be replaced
/// while it runs (`TicketServer.replaceCredentials`).
package struct TicketConfiguration: Sendable {
    /// The address to listen on, and the port (0 = any free one).
    package var host: String
    package var port: Int
    /// An existing directory that nobody else may read. The database is `tickets.sqlite` in it.
    package var dataDirectory: String
    /// The app it publishes as, and for whose channels it signs subscriptions.
    package var credentials: AppCredentials
    /// The Pusher-compatible server it publishes to.
    package var publishTarget: PublishTarget
    package var eventStyle: EventStyle
    /// A further name for an event: `["NewMessage": "message.sent"]`.
    package var eventAliases: [String: String]
    package var lifetimes = TokenLifetimes()
    /// The origins whose pages may call, with cookies too, beside its own.
    package var allowedOrigins: Set<WebOrigin> = []
    /// The proxies whose `X-Forwarded-For` and `X-Forwarded-Proto` are believed.
    package var trustedProxies: [CIDR] = []
    /// How many requests one user may send in a minute, and one network address without valid credentials. nil for any
    /// number.
    package var requestsPerMinutePerUser: Int?
    package var requestsPerMinutePerAddress: Int?

    /// Connections at once, and forms with files that are read at once; more are answered 503.
    package var maxConnections = 10_000
    package var maxUploads = 64
    /// After so long without a commit the database's writer is taken for dead. Longer than a write may wait for another
    /// process, which is a minute.
    package var writerLimit = Duration.seconds(75)

    /// After so long a connection ends on which nothing comes that is awaited, or nothing is taken that was asked for.
    package var idleLimit = Duration.seconds(60)

    package init(
        host: String, port: Int, dataDirectory: String, credentials: AppCredentials, publishTarget: PublishTarget,
        eventStyle: EventStyle = .both, eventAliases: [String: String] = [:]
    ) {
        self.host = host
        self.port = port
        self.dataDirectory = dataDirectory
        self.credentials = credentials
        self.publishTarget = publishTarget
        self.eventStyle = eventStyle
        self.eventAliases = eventAliases
    }
}
