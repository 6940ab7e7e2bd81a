import Logging
import Synchronization

/// Keeps what is logged.
final class LogCollector: Sendable {
    private struct Handler: LogHandler {
        let collector: LogCollector
        var metadata: Logger.Metadata = [:]
        var logLevel = Logger.Level.debug

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { self.metadata[key] }
            set { self.metadata[key] = newValue }
        }

        func log(event: LogEvent) {
            let fields = (event.metadata ?? [:]).map { "\($0)=\($1)" }.sorted().joined(separator: " ")
            self.collector.kept.withLock { $0.append("\(event.level): \(event.message) \(fields)") }
        }
    }

    private let kept = Mutex<[String]>([])

    var lines: [String] { self.kept.withLock { $0 } }

    var logger: Logger { Logger(label: "test") { _ in Handler(collector: self) } }
}
