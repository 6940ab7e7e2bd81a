import Logging
import Synchronization

/// Keeps the texts of what was logged.
final class RecordingLog: LogHandler {
    private let kept = Mutex<[String]>([])

    var messages: [String] { self.kept.withLock { $0 } }

    func log(event: LogEvent) {
        self.kept.withLock { $0.append("\(event.message)") }
    }

    var logLevel: Logger.Level {
        get { .trace }
        set {}
    }
    var metadata: Logger.Metadata {
        get { [:] }
        set {}
    }
    subscript(metadataKey _: String) -> Logger.Metadata.Value? {
        get { nil }
        set {}
    }
}
