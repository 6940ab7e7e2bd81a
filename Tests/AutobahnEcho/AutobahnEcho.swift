import BrokerCore
import Glibc
import Logging
import PusherProtocol

/// The broker with `echo.patch` applied: what a client says is sent back to it. For Autobahn|Testsuite, which tests
/// echo servers; built by `scripts/autobahn` only and part of no product.
@main
enum AutobahnEcho {
    static func main() async throws {
        let credentials = AppCredentials(id: "echo", key: "echo", secret: AppSecret("echo"))
        var configuration = BrokerConfiguration(
            host: "127.0.0.1", port: 0, eventLoops: 1, applications: [Application(credentials: credentials)])
        // Section 9 sends messages of 16 MiB; the broker's own limit is 64 KiB.
        configuration.maxMessageBytes = 16 << 20
        configuration.maxBacklog = 64 << 20
        let logger = Logger(label: "autobahn") { StreamLogHandler.standardError(label: $0) }
        let broker = try await Broker.bind(configuration, logger: logger)
        print(broker.port)
        // A pipe's reader waits for it.
        fflush(nil)
        try await broker.run()
    }
}
