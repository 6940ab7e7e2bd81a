import Broker
import BrokerCore
import Logging
import PusherClient
import PusherProtocol
import ServiceLifecycle

/// A real broker on a free port of the loopback interface.
struct RunningBroker: Sendable {
    static let credentials = AppCredentials(
        id: "4711", key: "f3c1a90b7d2e4586aa10", secret: AppSecret("b7e2d94c1f60835ae4d2"))

    let port: Int
    private let group: ServiceGroup

    /// Runs a broker around `body`.
    static func run<Result: Sendable>(
        configure: (inout BrokerConfiguration) -> Void = { _ in },
        _ body: @escaping @Sendable (RunningBroker) async throws -> Result
    ) async throws -> Result {
        var configuration = BrokerConfiguration(
            host: "127.0.0.1", port: 0, eventLoops: 1, applications: [Application(credentials: self.credentials)])
        configure(&configuration)
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let broker = try await Broker.bind(configuration, logger: logger)
        let group = ServiceGroup(services: [broker], logger: logger)
        return try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await group.run() }
            let result: Swift.Result<Result, any Error>
            do {
                result = .success(try await body(RunningBroker(port: broker.port, group: group)))
            } catch {
                result = .failure(error)
            }
            await group.triggerGracefulShutdown()
            try await tasks.waitForAll()
            return try result.get()
        }
    }

    func shutDown() async {
        await self.group.triggerGracefulShutdown()
    }

    func endpoint(
        host: String = "127.0.0.1", key: String = Self.credentials.key, tls: ClientTLS? = nil
    ) -> PusherEndpoint {
        PusherEndpoint(host: host, port: self.port, tls: tls, key: key, client: "test", version: "1")
    }
}
