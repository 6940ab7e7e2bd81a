import Broker
import BrokerCore
import Logging
import NIOSSL
import PusherProtocol
import ServiceLifecycle
import Support
import Telemetry
import Testing

/// A real broker on a free port of the loopback interface.
struct TestBroker: Sendable {
    static let credentials = AppCredentials(
        id: "4711", key: "f3c1a90b7d2e4586aa10", secret: AppSecret("b7e2d94c1f60835ae4d2"))
    /// What the brokers under test take for the time.
    static let now: Int64 = 1_700_000_000

    /// The test app with other settings.
    static func application(
        isEnabled: Bool = true, requiresTLS: Bool = false, allowedOrigins: Set<String>? = nil,
        _ configure: (inout Application.Features, inout Application.Rates, inout Limits) -> Void = { _, _, _ in }
    ) -> Application {
        var (features, rates, limits) = (Application.Features(), Application.Rates(), Limits())
        configure(&features, &rates, &limits)
        return Application(
            credentials: self.credentials, isEnabled: isEnabled, requiresTLS: requiresTLS,
            allowedOrigins: allowedOrigins, features: features, rates: rates, limits: limits)
    }

    let port: Int
    /// What clients speak TLS with; nil for plain connections.
    private var tls: NIOSSLContext?
    private let broker: Broker
    private let group: ServiceGroup

    /// Runs a broker around `body`; one with a certificate has clients that speak TLS.
    static func run<Result: Sendable>(
        application: Application = Application(credentials: Self.credentials),
        others: [Application] = [], loops: Int = 2, certificate: TestCertificate? = nil,
        logger: Logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
        configure: (inout BrokerConfiguration) -> Void = { _ in },
        _ body: @escaping @Sendable (TestBroker) async throws -> Result
    ) async throws -> Result {
        var configuration = BrokerConfiguration(
            host: "127.0.0.1", port: 0, eventLoops: loops, applications: [application] + others)
        configuration.wallClock = { Self.now }
        // Only the limits that a test sets itself are within a busy machine's reach.
        configuration.timeouts.requestHead = .seconds(600)
        configuration.timeouts.requestBody = .seconds(600)
        configuration.timeouts.close = .seconds(600)
        configuration.timeouts.shutdown = .seconds(600)
        configuration.tls = certificate?.files
        let tls = try certificate?.client()
        configure(&configuration)
        let broker = try await Broker.bind(configuration, logger: logger)
        let group = ServiceGroup(services: [broker], logger: logger)
        return try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await group.run() }
            let result: Swift.Result<Result, any Error>
            do {
                result = .success(
                    try await body(TestBroker(port: broker.port, tls: tls, broker: broker, group: group)))
            } catch {
                result = .failure(error)
            }
            await group.triggerGracefulShutdown()
            try await tasks.waitForAll()
            return try result.get()
        }
    }

    /// What the broker says of itself to Prometheus, line by line.
    var metrics: [Substring] {
        var text = MetricsText()
        self.broker.writeMetrics(to: &text)
        return text.text.split(separator: "\n")
    }

    /// Waits until all these lines are among the metrics, which are a moment old.
    func expectMetrics(_ lines: String..., sourceLocation: SourceLocation = #_sourceLocation) async throws {
        let deadline = ContinuousClock.now + .seconds(60)
        var missing = lines
        while !missing.isEmpty, ContinuousClock.now < deadline {
            try await Task.sleep(for: .milliseconds(10))
            let metrics = self.metrics
            missing.removeAll { line in metrics.contains { $0 == line } }
        }
        #expect(missing.isEmpty, "\(self.metrics.joined(separator: "\n"))", sourceLocation: sourceLocation)
    }

    /// The names of the event loops that are stuck.
    var stuckLoops: [String] {
        self.broker.pulses.filter { $0.stuckForSeconds != nil }.map(\.name)
    }

    var slowTurns: [SlowTurns] { self.broker.slowTurns }

    func shutDown() async {
        await self.group.triggerGracefulShutdown()
    }

    func reload(_ applications: [Application]) async {
        await self.broker.reload(applications)
    }

    func reloadTLS() async throws {
        try await self.broker.reloadTLS()
    }

    /// The same broker for clients that connect in another way.
    func over(_ tls: NIOSSLContext?) -> TestBroker {
        var broker = self
        broker.tls = tls
        return broker
    }

    func raw(receiveBuffer: CInt? = nil) async throws -> RawClient {
        try await RawClient.connect(port: self.port, tls: self.tls, receiveBuffer: receiveBuffer)
    }

    /// A client that has been upgraded, whatever it will be told next.
    func upgraded(
        path: String = "/app/\(Self.credentials.key)", headers: String = ""
    ) async throws -> PusherTestClient {
        try await PusherTestClient.connect(port: self.port, path: path, headers: headers, tls: self.tls)
    }

    /// A client that has been told its socket id.
    func client(key: String = Self.credentials.key) async throws -> PusherTestClient {
        let client = try await self.upgraded(path: "/app/\(key)?protocol=7&client=js")
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
