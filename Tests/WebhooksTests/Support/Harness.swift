import Foundation
import Logging
import PusherProtocol
import ServiceLifecycle
import Synchronization
import Testing
import Webhooks

extension AppCredentials {
    static let test = AppCredentials(
        id: "4711", key: "key-1", secret: AppSecret("secret-1"), nextSecret: AppSecret("secret-2"))
}

func channel(_ name: String) throws -> ChannelName { try #require(ChannelName(name, limit: 200)) }

extension WebhookConfiguration {
    /// Times that a test can wait for, and limits that a busy machine does not reach.
    static var quick: WebhookConfiguration {
        var configuration = WebhookConfiguration()
        configuration.holdBack = .milliseconds(50)
        configuration.firstPause = .milliseconds(20)
        configuration.longestPause = .milliseconds(200)
        configuration.retryTime = .milliseconds(400)
        configuration.answerTime = .seconds(600)
        configuration.shutdownTime = .seconds(600)
        return configuration
    }
}

/// A directory of its own, removed with the last reference.
final class TemporaryDirectory: Sendable {
    let path: String

    init() throws {
        let url = FileManager.default.temporaryDirectory.appending(path: "webhooks-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        self.path = url.path
    }

    deinit { try? FileManager.default.removeItem(atPath: self.path) }

    var files: [String] {
        get throws { try FileManager.default.contentsOfDirectory(atPath: "\(self.path)/dead-letters").sorted() }
    }
}

/// Keeps what was logged, message and metadata in one text. Copies share what they keep.
struct RecordingLog: LogHandler {
    private final class Lines: Sendable {
        let kept = Mutex<[String]>([])
    }

    private let kept = Lines()
    var metadata: Logger.Metadata = [:]
    var logLevel = Logger.Level.trace

    var lines: [String] { self.kept.kept.withLock { $0 } }

    func log(event: LogEvent) {
        let metadata = self.metadata.merging(event.metadata ?? [:]) { $1 }.sorted { $0.key < $1.key }
        let words = ["\(event.level) \(event.message)"] + metadata.map { "\($0.key)=\($0.value)" }
        self.kept.kept.withLock { $0.append(words.joined(separator: " ")) }
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { self.metadata[key] }
        set { self.metadata[key] = newValue }
    }
}

/// A dispatcher that runs, with its letters and its log.
struct Running: Sendable {
    let dispatcher: WebhookDispatcher
    let box: DeadLetterBox
    let directory: TemporaryDirectory
    let log: RecordingLog
    fileprivate let group: ServiceGroup

    func put(_ events: WebhookEvent...) { self.put(events) }

    func put(_ events: [WebhookEvent], app: String = "4711") {
        for event in events { self.dispatcher.put(event, app: app) }
    }

    /// The letters, once there are so many; ends early when the test's time limit cancels it.
    func letters(_ count: Int) async throws -> [DeadLetter] {
        while true {
            let letters = try await self.box.list()
            if letters.count >= count { return letters }
            try await Task.sleep(for: .milliseconds(5))
        }
    }

    /// Waits until a line that contains `text` was logged.
    func logged(_ text: String) async throws -> String {
        while true {
            if let line = self.log.lines.first(where: { $0.contains(text) }) { return line }
            try await Task.sleep(for: .milliseconds(5))
        }
    }

    func shutDown() async { await self.group.triggerGracefulShutdown() }
}

/// Runs a dispatcher for one app with these endpoints; returns when it has shut down in good order.
func running(
    _ endpoints: [WebhookEndpoint], _ configuration: WebhookConfiguration = .quick,
    _ body: @escaping @Sendable (Running) async throws -> Void
) async throws -> Running {
    let directory = try TemporaryDirectory()
    let log = RecordingLog()
    let logger = Logger(label: "test") { _ in log }
    let box = DeadLetterBox(
        directory: "\(directory.path)/dead-letters", configuration: configuration, logger: logger)
    let dispatcher = WebhookDispatcher(
        apps: [WebhookApp(credentials: .test, endpoints: endpoints)], deadLetters: box, configuration: configuration,
        logger: logger)
    let group = ServiceGroup(services: [dispatcher], logger: Logger(label: "services") { _ in RecordingLog() })
    let running = Running(dispatcher: dispatcher, box: box, directory: directory, log: log, group: group)
    try await withThrowingTaskGroup(of: Void.self) { tasks in
        tasks.addTask { try await group.run() }
        do {
            try await body(running)
        } catch {
            tasks.cancelAll()
            throw error
        }
        await running.shutDown()
        try await tasks.waitForAll()
    }
    return running
}
