internal import Logging
internal import Synchronization

/// Sends one endpoint's requests, one at a time. What cannot be delivered goes to the dead letters.
final class EndpointWorker: Sendable {
    private struct State {
        var queue: EndpointQueue
        var endpoint: WebhookEndpoint
        /// The endpoint is no longer in the configuration: what is left is nobody's.
        var isDismissed = false
        var shedLog: LossLog
    }

    let app: String
    private let url: String
    private let doorbell = Doorbell()
    private let state: Mutex<State>
    private let sender: WebhookSender
    private let letters: LetterDesk
    private let counts: WebhookCounts
    private let logger: Logger

    init(
        app: WebhookApp, endpoint: WebhookEndpoint, configuration: WebhookConfiguration, lookups: HostLookups,
        letters: LetterDesk, counts: WebhookCounts, logger: Logger
    ) {
        self.app = app.id
        self.url = endpoint.url
        self.state = Mutex(
            State(
                queue: EndpointQueue(
                    credentials: app.credentials, batches: endpoint.batches, configuration: configuration),
                endpoint: endpoint, shedLog: LossLog(interval: configuration.logInterval)))
        self.sender = WebhookSender(
            url: endpoint.url, lookups: lookups, answerTime: configuration.answerTime)
        self.letters = letters
        self.counts = counts
        var logger = logger
        logger[metadataKey: "app"] = "\(app.id)"
        logger[metadataKey: "endpoint"] = "\(endpoint.name)"
        self.logger = logger
    }

    /// Events that were not accepted yet, and when the first of them came.
    var pending: (events: Int, since: ContinuousClock.Instant?) { self.state.withLock { $0.queue.pending } }

    /// What is queued stays queued; requests that are made from now on follow the new configuration.
    func reconfigure(app: WebhookApp, endpoint: WebhookEndpoint) {
        self.state.withLock { state in
            state.queue.reconfigure(credentials: app.credentials, batches: endpoint.batches)
            state.endpoint = endpoint
        }
        self.doorbell.ring()
    }

    /// Events in order, at the end of the queue.
    func append(_ events: [EndpointQueue.Event]) async {
        let (shed, isOver) = self.state.withLock { ($0.queue.append(events), $0.queue.isOver) }
        self.doorbell.ring()
        guard !shed.isEmpty else { return }
        let cause = isOver ? "the server was shut down" : "the queue was full"
        await self.letters.keep(DeadLetterDraft.bundle(shed, app: self.app, url: self.url, failure: cause))
        guard !isOver, let count = self.state.withLock({ $0.shedLog.add(shed.count, now: .now) }) else { return }
        self.logger.error(
            "Too many webhooks wait; the oldest are dead letters now.", metadata: ["events": "\(count)"])
    }

    /// `run` returns when everything was sent, or at `end`.
    func drain(until end: ContinuousClock.Instant) {
        self.state.withLock { $0.queue.drain(now: .now, until: end) }
        self.doorbell.ring()
    }

    /// `run` returns soon; what is queued is dropped.
    func dismiss() {
        self.state.withLock { state in
            state.isDismissed = true
            state.queue.stop()
        }
        self.doorbell.ring()
    }

    /// Sends until `drain`, `dismiss` or the task's cancellation, and keeps as dead letters what is left then.
    func run() async {
        await withDiscardingTaskGroup { group in
            var alarm = Alarm(self.doorbell)
            rings: for await _ in self.doorbell.rings {
                asking: while true {
                    switch self.state.withLock({ $0.queue.next(now: .now, time: WallClock.milliseconds) }) {
                    case .send(let request): group.addTask { await self.attempt(request) }
                    case .wait(let until):
                        if let until { alarm.set(until, in: &group) }
                        break asking
                    case .finish: break rings
                    }
                }
            }
            group.cancelAll()
        }
        await self.sender.shutdown()
        let (isDismissed, rest) = self.state.withLock { ($0.isDismissed, $0.queue.close()) }
        if isDismissed {
            self.logger.notice(
                "A webhook is no longer configured; what was queued for it is dropped.",
                metadata: ["requests": "\(rest.attempted == nil ? 0 : 1)", "events": "\(rest.waiting.count)"])
        } else {
            await self.letters.keep(rest.attempted.map { [self.draft($0)] } ?? [])
            await self.letters.keep(
                DeadLetterDraft.bundle(rest.waiting, app: self.app, url: self.url, failure: "the server was shut down"))
            if rest.attempted != nil || !rest.waiting.isEmpty {
                self.logger.warning(
                    "The server was shut down before all webhooks were sent; the rest are dead letters.",
                    metadata: [
                        "requests": "\(rest.attempted == nil ? 0 : 1)", "events": "\(rest.waiting.count)",
                    ])
            }
        }
    }

    private func attempt(_ request: WebhookRequest) async {
        let failure = await self.sender.send(request, headers: self.state.withLock { $0.endpoint.headers })
        let action = self.state.withLock {
            $0.queue.attemptFinished(failure: failure, now: .now, chance: .random(in: 0...1))
        }
        self.counts.attempted(app: self.app, isAccepted: failure == nil)
        // The next request does not wait for the disk.
        self.doorbell.ring()
        switch action {
        case .delivered(let isRecovery):
            if isRecovery { self.logger.info("A webhook is accepted again.") }
        case .retry(let isFirstFailure): self.log(failure, isFirst: isFirstFailure)
        case .giveUp(let attempted, let isFirstFailure):
            self.log(failure, isFirst: isFirstFailure)
            await self.letters.keep([self.draft(attempted)])
        }
    }

    private func draft(_ attempted: EndpointQueue.Attempted) -> DeadLetterDraft {
        DeadLetterDraft(attempted, app: self.app, url: self.url)
    }

    /// The first failure is worth a line; those of the tries after it are not.
    private func log(_ failure: String?, isFirst: Bool) {
        guard isFirst, let failure else { return }
        self.logger.warning("A webhook is not accepted; it is tried again.", metadata: ["cause": "\(failure)"])
    }
}
