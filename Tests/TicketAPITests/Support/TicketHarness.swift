import AsyncHTTPClient
import Digests
import Foundation
import GRDB
import Logging
import NIOCore
import NIOHTTP1
import PusherProtocol
import PusherPublisher
import ServiceLifecycle
import Synchronization
import Telemetry
import TicketAPI

/// A ticket API on a free port, with a database in a temporary directory and a recording broker.
final class TicketHarness: Sendable {
    let broker: RecordingBroker
    let clock = TestClock()
    let directory: String
    private let style: EventStyle
    private let aliases: [String: String]
    private let configure: @Sendable (inout TicketConfiguration) throws -> Void
    private let server = Mutex<Running?>(nil)
    private let secrecy: Secrecy

    private struct Running: Sendable {
        let server: TicketServer
        let services: ServiceGroup
        let task: Task<Void, any Error>
    }

    /// A cheap hash: the tests are about everything else.
    static let passwordCost = Scrypt.Cost(n: 16, r: 8, p: 1)

    private init(
        style: EventStyle, aliases: [String: String], secrecy: Secrecy,
        configure: @escaping @Sendable (inout TicketConfiguration) throws -> Void
    ) async throws {
        self.style = style
        self.secrecy = secrecy
        self.aliases = aliases
        self.configure = configure
        self.broker = try await RecordingBroker()
        self.directory = try Self.temporaryDirectory()
    }

    static func temporaryDirectory() throws -> String {
        let directory = FileManager.default.temporaryDirectory.appendingPathComponent("tickets-\(UUID())")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        return directory.path
    }

    /// A second connection to the database, which waits its turn while the server writes.
    static func database(in directory: String) throws -> DatabaseQueue {
        var configuration = GRDB.Configuration()
        configuration.busyMode = .timeout(30)
        return try DatabaseQueue(path: "\(directory)/tickets.sqlite", configuration: configuration)
    }

    /// Runs `body` with a server and stops it afterwards, whatever happened.
    ///
    /// - Parameter secrecy: watches what is logged. What else logs for the same test shares it.
    static func run(
        style: EventStyle = .plain, aliases: [String: String] = [:], secrecy: Secrecy = Secrecy(),
        configure: @escaping @Sendable (inout TicketConfiguration) throws -> Void = { _ in },
        _ body: @Sendable (TicketHarness) async throws -> Void
    ) async throws {
        let harness = try await TicketHarness(
            style: style, aliases: aliases, secrecy: secrecy, configure: configure)
        QueryPlans.trace(harness.directory, false)
        try await harness.start()
        QueryPlans.trace(harness.directory)
        do {
            try await body(harness)
        } catch {
            try await harness.end()
            throw error
        }
        try await harness.end()
    }

    private func end() async throws {
        try await self.stop()
        try await self.broker.stop()
        self.secrecy.check()
        try QueryPlans.check(self.directory)
        try FileManager.default.removeItem(atPath: self.directory)
    }

    func configuration(port: Int = 0) throws -> TicketConfiguration {
        var configuration = TicketConfiguration(
            host: "127.0.0.1", port: port, dataDirectory: self.directory, credentials: RecordingBroker.credentials,
            publishTarget: PublishTarget(scheme: .http, host: "127.0.0.1", port: self.broker.port),
            eventStyle: self.style, eventAliases: self.aliases)
        try self.configure(&configuration)
        return configuration
    }

    func start() async throws {
        let clock = self.clock
        let server = try await TicketServer.bind(
            self.configuration(), logger: self.secrecy.logger,
            environment: TicketEnvironment(now: { clock.now }, passwordCost: Self.passwordCost))
        let services = ServiceGroup(configuration: .init(services: [server], logger: self.secrecy.logger))
        let running = Task { try await services.run() }
        self.server.withLock { $0 = Running(server: server, services: services, task: running) }
    }

    func stop() async throws {
        guard let server = self.server.withLock({ $0 }) else { return }
        self.server.withLock { $0 = nil }
        await server.services.triggerGracefulShutdown()
        try await server.task.value
    }

    /// For what runs without a harness.
    static var logger: Logger {
        var logger = Logger(label: "tests")
        logger.logLevel = .critical
        return logger
    }

    var port: Int { self.server.withLock { $0?.server.port } ?? 0 }
    /// Every route, as `GET /tickets/{id}`.
    var routes: [String] { self.server.withLock { $0?.server.routes } ?? [] }

    /// The names of what is stuck.
    var stuck: [String] {
        let pulses = self.server.withLock { $0?.server.pulses } ?? []
        return pulses.filter { $0.stuckForSeconds != nil }.map(\.name)
    }

    /// What the server says of itself to Prometheus, line by line.
    var metrics: [Substring] {
        var text = MetricsText()
        self.server.withLock { $0?.server }?.writeMetrics(to: &text)
        return text.text.split(separator: "\n")
    }

    /// Waits until such a line is among the metrics.
    func metric(_ line: String) async throws {
        while !self.metrics.contains(where: { $0 == line }) { try await Task.sleep(for: .milliseconds(20)) }
    }

    /// Waits until there is no such line any more.
    func metric(gone line: String) async throws {
        while self.metrics.contains(where: { $0 == line }) { try await Task.sleep(for: .milliseconds(20)) }
    }

    // MARK: requests

    struct Reply: Sendable {
        let status: Int
        let headers: HTTPHeaders
        let text: String
        var json: Value { (try? Value(parsing: self.text)) ?? .null }
    }

    func call(
        _ method: HTTPMethod, _ path: String, token: String? = nil, json: String? = nil, form: String? = nil,
        headers: [(String, String)] = []
    ) async throws -> Reply {
        var request = HTTPClientRequest(url: "http://127.0.0.1:\(self.port)\(path)")
        request.method = method
        if let token { request.headers.add(name: "Authorization", value: "Bearer \(token)") }
        if let json {
            request.headers.add(name: "Content-Type", value: "application/json")
            request.body = .bytes(ByteBuffer(string: json))
        }
        if let form {
            request.headers.add(name: "Content-Type", value: "application/x-www-form-urlencoded")
            request.body = .bytes(ByteBuffer(string: form))
        }
        for (name, value) in headers { request.headers.add(name: name, value: value) }
        return try await self.reply(to: request, said: json ?? form ?? "")
    }

    /// - Parameter said: the fields of the body, in which there may be secrets.
    func reply(to request: HTTPClientRequest, said: String) async throws -> Reply {
        let response = try await HTTPClient.shared.execute(request, timeout: .seconds(60))
        let body = try await response.body.collect(upTo: 16 << 20)
        let reply = Reply(status: Int(response.status.code), headers: response.headers, text: String(buffer: body))
        self.secrecy.note(sent: request.headers, said, received: reply)
        return reply
    }

    // MARK: what most tests begin with

    struct Account: Sendable {
        let id: Int64
        let token: String
        let email: String
    }

    func customer(_ name: String = "Ada") async throws -> Account {
        let email = "\(name.lowercased())@example.com"
        let reply = try await self.call(
            .POST, "/register",
            json: """
                {"name":"\(name)","email":"\(email)","password":"long enough","password_confirmation":"long enough"}
                """)
        return try Self.account(reply, email)
    }

    func admin(_ name: String = "Root") async throws -> Account {
        let email = "\(name.lowercased())@example.com"
        _ = try await Accounts.create(
            dataDirectory: self.directory, email: email, name: name, role: .admin, password: "long enough")
        let reply = try await self.call(.POST, "/login", json: #"{"email":"\#(email)","password":"long enough"}"#)
        return try Self.account(reply, email)
    }

    private static func account(_ reply: Reply, _ email: String) throws -> Account {
        guard let id = reply.json["user"]["id"].int, let token = reply.json["token"].string else {
            throw Unexpected(reply)
        }
        return Account(id: id, token: token, email: email)
    }

    func ticket(of account: Account, subject: String = "Broken") async throws -> Int64 {
        let reply = try await self.call(
            .POST, "/tickets", token: account.token,
            json: """
                {"subject":"\(subject)","description":"It is.","category":"Technical","priority":"Low"}
                """)
        guard let id = reply.json["data"]["id"].int else { throw Unexpected(reply) }
        return id
    }

    func post(
        _ content: String, to ticket: Int64, as account: Account, headers: [(String, String)] = []
    ) async throws -> Reply {
        try await self.call(
            .POST, "/tickets/\(ticket)/chat/messages", token: account.token, json: #"{"content":"\#(content)"}"#,
            headers: headers)
    }
}

/// An answer that the test did not reckon with.
struct Unexpected: Error, CustomStringConvertible {
    let description: String

    init(_ reply: TicketHarness.Reply) {
        self.description = "\(reply.status) \(reply.text)"
    }
}

/// The system's clock, which a test can put forward, or stop.
final class TestClock: Sendable {
    private struct State {
        var offset: Int64 = 0
        var stoppedAt: Timestamp?
    }
    private let state = Mutex(State())

    var now: Timestamp {
        self.state.withLock { state in
            state.stoppedAt ?? Timestamp(microseconds: Timestamp.now().microseconds + state.offset)
        }
    }

    func advance(seconds: Int64) {
        self.state.withLock { state in
            state.offset += seconds * 1_000_000
            state.stoppedAt = state.stoppedAt?.advanced(bySeconds: seconds)
        }
    }

    /// Stops it at this moment; only `advance` moves it from there.
    func stop(at moment: Timestamp) {
        self.state.withLock { $0.stoppedAt = moment }
    }
}
