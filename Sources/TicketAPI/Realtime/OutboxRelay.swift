internal import Logging
internal import NIOCore
internal import PusherProtocol
internal import PusherPublisher
internal import ServiceLifecycle

/// Publishes what is in the outbox: in order per ticket, at least once, as soon as it is committed. And has the broker end
/// what was revoked: before any event that was committed later.
///
/// A row is deleted after the broker has accepted it and not before, so the end of the process loses nothing; what was
/// on its way then, or waited to be deleted, goes out again, with the same ids in it. One loop owns all state and hears of
/// everything through one stream; calls run beside it.
final class OutboxRelay: Service {
    private enum Signal: Sendable {
        case committed(OutboxNews)
        case terminated(TerminationCall)
        case returned(RelayCall)
        case due
        case mustDelete
        case deleted([Int64], failure: String?)
        case drain
        case giveUp
    }

    /// How long a shutdown waits for the last events.
    private static let drainTime = Duration.seconds(3)
    /// How long what another process wrote may lie before it is seen.
    private static let watchInterval = Duration.seconds(1)
    /// How long rows that were accepted wait for others, so that many share a transaction; and after a failure.
    private static let deletionDelay = Duration.milliseconds(50)
    private static let deletionPause = Duration.seconds(1)

    private let store: TicketStore
    private let publish: OutboxCall
    private let terminations: Terminations
    private let counts: TicketCounts
    private let executor: LoopExecutor
    private let logger: Logger
    private let signals: AsyncStream<Signal>
    private let notify: AsyncStream<Signal>.Continuation

    /// `loop` is the publisher's, so that a call does not change threads.
    init(
        store: TicketStore, doorbell: OutboxDoorbell, publisher: HTTPEventPublisher, names: EventNames,
        counts: TicketCounts, loop: any EventLoop, logger: Logger
    ) {
        self.store = store
        self.publish = OutboxCall(store: store, publisher: publisher, names: names, logger: logger)
        self.terminations = Terminations(store: store, publisher: publisher)
        self.counts = counts
        self.executor = LoopExecutor(loop: loop)
        self.logger = logger
        (self.signals, self.notify) = AsyncStream.makeStream()
        doorbell.connect { [notify] in notify.yield(.committed($0)) }
    }

    /// Runs until graceful shutdown, and then until the outbox is empty, the broker is away or three seconds are over.
    func run() async throws {
        try await withTaskExecutorPreference(self.executor) { try await self.relay() }
    }

    private func relay() async throws {
        var lanes = RelayLanes()
        let version = try await self.store.version()
        self.notify.yield(.committed(try await self.store.read { try $0.pendingNews() }))

        await withGracefulShutdownHandler {
            await withDiscardingTaskGroup { group in
                group.addTask { await self.watch(since: version) }
                await self.loop(&lanes, in: &group)
                group.cancelAll()
            }
        } onGracefulShutdown: {
            self.notify.yield(.drain)
        }
    }

    private func loop(_ lanes: inout RelayLanes, in group: inout DiscardingTaskGroup) async {
        var isDraining = false
        var isToldOfServer = false
        var accepted = AcceptedRows()
        // The time of the last alarm that was set. One that lies in the past has rung.
        var alarm = ContinuousClock.now
        for await signal in self.signals {
            switch signal {
            case .committed(let news):
                for ticketID in news.tickets { lanes.found(ticketID) }
                if news.hasTermination { lanes.foundTermination() }
            case .terminated(let call):
                self.log(call, before: lanes.failedTerminationsInARow, &isToldOfServer)
                lanes.finished(call, now: .now, chance: .random(in: 0...1))
            case .returned(let call):
                accepted.add(call.accepted)
                self.counts.called(call.outcome)
                self.log(call, before: lanes.failuresInARow)
                lanes.finished(call, now: .now, chance: .random(in: 0...1))
            case .due: break
            case .mustDelete:
                guard let ids = accepted.beginDeletion() else { break }
                group.addTask { self.notify.yield(await self.delete(ids)) }
            case .deleted(let ids, let failure):
                self.log(deletionFailure: failure, before: accepted.couldNotBeDeleted)
                accepted.endDeletion(of: ids, isDone: failure == nil)
            case .drain:
                isDraining = true
                // Without the delay for what waits already.
                self.notify.yield(.mustDelete)
                group.addTask { await self.send(.giveUp, at: .now + Self.drainTime) }
            case .giveUp: return
            }
            if lanes.nextTermination(now: .now) {
                group.addTask { self.notify.yield(.terminated(await self.terminations())) }
            }
            while let tickets = lanes.next(now: .now) {
                group.addTask { [last = accepted.last] in
                    self.notify.yield(.returned(await self.publish(tickets, after: last)))
                }
            }
            if accepted.scheduleDeletion() {
                let delay = accepted.couldNotBeDeleted ? Self.deletionPause : isDraining ? .zero : Self.deletionDelay
                group.addTask { await self.send(.mustDelete, at: .now + delay) }
            }
            if isDraining, lanes.isIdle, accepted.isEmpty || accepted.couldNotBeDeleted { return }
            if let wake = lanes.nextWake, alarm <= .now || wake < alarm {
                alarm = wake
                group.addTask { await self.send(.due, at: wake) }
            }
        }
    }

    /// Looks now and then whether another process, as the command line is, wrote something.
    private func watch(since start: Int64) async {
        var seen = start
        while !Task.isCancelled {
            // Cancelled at the end of the loop.
            try? await Task.sleep(for: Self.watchInterval)
            // A store that cannot be read is reported by those who need it; here it is looked at again.
            guard let version = try? await self.store.version(), version != seen,
                let news = try? await self.store.read({ try $0.pendingNews() })
            else { continue }
            seen = version
            self.notify.yield(.committed(news))
        }
    }

    private func send(_ signal: Signal, at time: ContinuousClock.Instant) async {
        // Cancelled at the end of the loop: then nobody listens.
        try? await Task.sleep(until: time, clock: .continuous)
        self.notify.yield(signal)
    }

    private func delete(_ ids: [Int64]) async -> Signal {
        do {
            try await self.store.write { try $0.deleteFromOutbox(ids) }
            return .deleted(ids, failure: nil)
        } catch {
            return .deleted(ids, failure: "the store cannot be written: \(type(of: error))")
        }
    }

    private func log(_ call: TerminationCall, before failuresInARow: Int, _ isToldOfServer: inout Bool) {
        if call.isBeyondServer, !isToldOfServer {
            isToldOfServer = true
            self.logger.notice(
                "The broker cannot end single connections or channels; what was revoked lives until its client goes.")
        }
        if let failure = call.failure, failuresInARow == 0 {
            self.logger.warning(
                "Revoked connections cannot be ended; they and all later events wait.",
                metadata: ["cause": "\(failure)"])
        } else if call.failure == nil, failuresInARow > 0 {
            self.logger.notice("The broker ends connections again.")
        }
    }

    private func log(deletionFailure failure: String?, before hadFailed: Bool) {
        guard let failure, !hadFailed else { return }
        self.logger.warning(
            "Published events cannot be deleted from the outbox; a restart would publish them again.",
            metadata: ["cause": "\(failure)"])
    }

    /// The first failure and the first success after it are worth a line; the tries between are not.
    private func log(_ call: RelayCall, before failuresInARow: Int) {
        switch call.outcome {
        case .nothingDue: break
        case .published:
            guard failuresInARow > 0 else { return }
            self.logger.notice("The broker accepts events again.")
        case .failed(let cause), .unavailable(let cause):
            guard failuresInARow == 0 else { return }
            self.logger.warning(
                "Events cannot be published; they wait in the outbox.", metadata: ["cause": "\(cause)"])
        }
    }
}
