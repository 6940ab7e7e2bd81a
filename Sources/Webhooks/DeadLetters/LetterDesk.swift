internal import Logging
internal import Synchronization

/// Where the workers leave what they could not deliver.
final class LetterDesk: Sendable {
    private let box: DeadLetterBox
    private let counts: WebhookCounts
    private let logger: Logger
    private let unwritten: Mutex<LossLog>

    init(box: DeadLetterBox, counts: WebhookCounts, interval: Duration, logger: Logger) {
        self.box = box
        self.counts = counts
        self.logger = logger
        self.unwritten = Mutex(LossLog(interval: interval))
    }

    /// Keeps letters on the disk. What cannot be written is lost, and logged.
    func keep(_ drafts: [DeadLetterDraft]) async {
        for draft in drafts {
            do {
                try await self.box.put(draft)
                self.counts.kept(app: draft.app)
            } catch {
                self.counts.lost(letters: 1)
                guard let count = self.unwritten.withLock({ $0.add(1, now: .now) }) else { continue }
                self.logger.error(
                    "Webhooks are lost: dead letters cannot be written.",
                    metadata: ["letters": "\(count)", "cause": "\(error)"])
            }
        }
    }
}
