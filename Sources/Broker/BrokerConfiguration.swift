package import BrokerCore

/// Everything the broker is told at its start. Values only; nothing here changes while it runs.
package struct BrokerConfiguration: Sendable {
    /// The address to listen on, and the port (0 = any free one).
    package var host: String
    package var port: Int
    /// How many threads carry connections, 1…64.
    package var eventLoops: Int
    /// The apps that are served; keys and ids are unique.
    package var applications: [Application]

    package init(host: String, port: Int, eventLoops: Int, applications: [Application]) {
        self.host = host
        self.port = port
        self.eventLoops = eventLoops
        self.applications = applications
    }
}
