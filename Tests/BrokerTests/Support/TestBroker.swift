import Broker
import BrokerCore
import Logging
import PusherProtocol
import ServiceLifecycle

/// A real broker on a free port of the loopback interface.
struct TestBroker: Sendable {
    static let credentials = AppCredentials(
        id: "4711", key: "f3c1a90b7d2e4586aa10", secret: AppSecret("b7e2d94c1f60835ae4d2"))
    /// What the brokers under test take for the time.
    static let now: Int64 = 1_700_000_000

    /// The test app with other settings.
    static func application(
        isEnabled: Bool = true, allowedOrigins: Set<String>? = nil,
        _ configure: (inout Application.Features, inout Application.Rates, inout Limits) -> Void = { _, _, _ in }
    ) -> Application {
        var (features, rates, limits) = (Application.Features(), Application.Rates(), Limits())
        configure(&features, &rates, &limits)
        return Application(
            credentials: self.credentials, isEnabled: isEnabled, allowedOrigins: allowedOrigins, features: features,
            rates: rates, limits: limits)
    }

    let port: Int
    private let broker: Broker
    private let group: ServiceGroup

    /// Runs a broker around `body`.
    static func run<Result: Sendable>(
        application: Application = Application(credentials: Self.credentials),
        others: [Application] = [], loops: Int = 2,
        configure: (inout BrokerConfiguration) -> Void = { _ in },
        _ body: @escaping @Sendable (TestBroker) async throws -> Result
    ) async throws -> Result {
        var configuration = BrokerConfiguration(
            host: "127.0.0.1", port: 0, eventLoops: loops, applications: [application] + others)
        configuration.wallClock = { Self.now }
        configure(&configuration)
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let broker = try await Broker.bind(configuration, logger: logger)
        let group = ServiceGroup(services: [broker], logger: logger)
        return try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await group.run() }
            let result: Swift.Result<Result, any Error>
            do {
                result = .success(try await body(TestBroker(port: broker.port, broker: broker, group: group)))
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

    func reload(_ applications: [Application]) async {
        await self.broker.reload(applications)
    }

    func raw() async throws -> RawClient {
        try await RawClient.connect(port: self.port)
    }

    /// A client that has been told its socket id.
    func client(key: String = Self.credentials.key) async throws -> PusherTestClient {
        let client = try await PusherTestClient.connect(port: self.port, path: "/app/\(key)?protocol=7&client=js")
        try await client.awaitEstablished()
        return client
    }

    /// Publishes by the HTTP API and returns the answer.
    @discardableResult
    func trigger(
        _ body: String, path: String = "/apps/4711/events", credentials: AppCredentials = Self.credentials
    ) async throws -> TestAnswer {
        let http = try await self.raw()
        defer { http.cut() }
        return try await http.call("POST", path, body: body, credentials: credentials)
    }
}
