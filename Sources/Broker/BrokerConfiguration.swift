package import Addresses
package import BrokerCore
import Glibc
package import PusherProtocol

/// Everything the broker is told at its start. Only the apps and the certificate can be replaced while it runs.
package struct BrokerConfiguration: Sendable {
    /// The address to listen on, and the port (0 = any free one).
    package var host: String
    package var port: Int
    /// How many threads carry connections, 1…64.
    package var eventLoops: Int
    /// The apps that are served; keys and ids are unique.
    package var applications: [Application]
    /// The certificate that the port also speaks TLS with; nil for plain connections only.
    package var tls: TLSFiles?
    /// The proxies whose `X-Forwarded-For` and `X-Forwarded-Proto` are believed.
    package var trustedProxies: [CIDR] = []
    /// WebSocket clients at once before more are refused with 4100 (P18), at least 1; nil for any number.
    package var maxConnections: Int?
    /// WebSocket clients of one network address at once before more are refused with 4100, at least 1; nil for any number.
    package var maxConnectionsPerAddress: Int?
    /// Requests of the HTTP API on one connection; it ends behind the answer to the last of them.
    package var maxRequestsPerConnection = 10_000
    /// Bytes of one WebSocket message from a client (P36). Room for 10 KiB of data in which every byte is escaped.
    package var maxMessageBytes = 64 * 1024
    /// Bytes of a request body of the HTTP API. Room for a full batch in which every byte is escaped.
    package var maxBodyBytes = 1024 * 1024
    package var keepAlive = KeepAlive.Timing(activityTimeout: 120)
    package var timeouts = Timeouts()
    /// Bytes that may wait for one client before it is closed with 4100.
    package var maxBacklog = 1 << 20
    /// Bytes of events that may wait for one event loop before publishers are refused with 503.
    package var maxInboxBytes = 64 << 20
    /// Where events go that an app's webhooks are to be told.
    package var webhooks: (any WebhookSink)?
    /// The wall clock in seconds since 1970, for the timestamps of signed requests.
    package var wallClock: @Sendable () -> Int64 = { Int64(time(nil)) }

    /// How long a peer may take.
    package struct Timeouts: Sendable {
        /// To send a whole request head, from its first byte or from connecting. A TLS handshake falls into it.
        package var requestHead = Duration.seconds(10)
        /// To send a whole request body.
        package var requestBody = Duration.seconds(30)
        /// Between two requests of one connection.
        package var idleRequest = Duration.seconds(75)
        /// To answer a close, or to take anything of the last answers, before the connection is cut.
        package var close = Duration.seconds(3)
        /// Over which the clients are sent away when the server shuts down; see `DrainPace`.
        package var drain = Duration.zero
        /// For all connections to go when the server shuts down, once the clients have been sent away.
        package var shutdown = Duration.seconds(4)
    }

    package init(host: String, port: Int, eventLoops: Int, applications: [Application]) {
        self.host = host
        self.port = port
        self.eventLoops = eventLoops
        self.applications = applications
    }
}
