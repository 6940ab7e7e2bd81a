import Foundation
import Logging
import PusherPublisher
import Synchronization

@testable import TicketAPI

/// The relay between two crashes: the real store and the real calls, driven one step at a time.
///
/// It does what `OutboxRelay` does, with a clock and chances that are given to it. A call runs on its own only from one request
/// to the next, and never two at a time, so a seed always takes the same way.
struct RelayLife {
    /// A request that waits for its answer.
    struct Waiting {
        let request: SimulatedLine.Request
        /// The broker has made up its mind; the answer is on its way.
        var answer: PublishFailure??
    }

    let directory: String
    let store: TicketStore
    private(set) var waiting: [Waiting] = []
    private var lanes = RelayLanes()
    private var accepted = AcceptedRows()
    private let news: NewsBox
    private let line: SimulatedLine
    private let notify: AsyncStream<RelayProgress>.Continuation
    private var progress: AsyncStream<RelayProgress>.Iterator

    private final class NewsBox: Sendable {
        private let news = Mutex(OutboxNews())

        func add(_ more: OutboxNews) {
            self.news.withLock { news in
                news.tickets += more.tickets
                news.hasTermination = news.hasTermination || more.hasTermination
            }
        }

        func take() -> OutboxNews {
            self.news.withLock { news in
                defer { news = OutboxNews() }
                return news
            }
        }
    }

    /// Opens the database in `directory`, as it is.
    init(directory: String) async throws {
        self.directory = directory
        let news = NewsBox()
        self.news = news
        self.store = try TicketStore.open(dataDirectory: directory) { news.add($0) }
        let (stream, notify) = AsyncStream.makeStream(of: RelayProgress.self)
        self.notify = notify
        self.progress = stream.makeAsyncIterator()
        self.line = SimulatedLine { notify.yield($0) }
        news.add(try await self.store.read { try $0.pendingNews() })
    }

    var nextWake: ContinuousClock.Instant? { self.lanes.nextWake }

    /// Takes up what was committed, and makes the calls that are to be made now.
    mutating func pump(now: ContinuousClock.Instant, chance: Double) async {
        var hasStarted = true
        while hasStarted {
            hasStarted = false
            let news = self.news.take()
            for ticket in news.tickets { self.lanes.found(ticket) }
            if news.hasTermination { self.lanes.foundTermination() }
            if self.lanes.nextTermination(now: now) {
                let terminations = Terminations(store: self.store, publisher: self.line)
                Task { [notify] in notify.yield(.terminated(await terminations())) }
                await self.advance(now: now, chance: chance)
                hasStarted = true
            } else if let tickets = self.lanes.next(now: now) {
                let call = OutboxCall(
                    store: self.store, publisher: self.line, names: EventNames(style: .plain, aliases: [:]),
                    logger: TicketHarness.logger)
                Task { [notify, last = accepted.last] in notify.yield(.published(await call(tickets, after: last))) }
                await self.advance(now: now, chance: chance)
                hasStarted = true
            }
        }
    }

    /// Deletes what was accepted, if there is any.
    mutating func delete() async throws {
        guard self.accepted.scheduleDeletion(), let ids = self.accepted.beginDeletion() else { return }
        try await self.store.write { try $0.deleteFromOutbox(ids) }
        self.accepted.endDeletion(of: ids, isDone: true)
    }

    mutating func decide(_ index: Int, _ answer: PublishFailure?) {
        self.waiting[index].answer = .some(answer)
    }

    /// The answer arrives, and the call goes on to its next request or to its end.
    mutating func answer(_ index: Int, now: ContinuousClock.Instant, chance: Double) async {
        let waiting = self.waiting.remove(at: index)
        waiting.request.answer.resume(returning: waiting.answer ?? .unavailable("no answer"))
        await self.advance(now: now, chance: chance)
    }

    /// Copies the files as the end of the process would leave them now, or in the middle of what was written since the log had
    /// `walBytes`; then lets go of everything. The copy's directory.
    mutating func crash(inWriteSince walBytes: Int?, cut: Double) async throws -> String {
        let copy = try TicketHarness.temporaryDirectory()
        for name in ["tickets.sqlite", "tickets.sqlite-wal"] {
            try FileManager.default.copyItem(atPath: "\(self.directory)/\(name)", toPath: "\(copy)/\(name)")
        }
        if let walBytes, let log = FileHandle(forUpdatingAtPath: "\(copy)/tickets.sqlite-wal") {
            let size = Int(try log.seekToEnd())
            if size > walBytes { try log.truncate(atOffset: UInt64(walBytes + Int(Double(size - walBytes) * cut))) }
            try log.close()
        }
        // What still runs belongs to the dead: it may write to the old files only.
        while !self.waiting.isEmpty { await self.answer(0, now: .now, chance: 1) }
        try self.store.close()
        try FileManager.default.removeItem(atPath: self.directory)
        return copy
    }

    /// How long the write-ahead log is.
    func walBytes() throws -> Int {
        let attributes = try FileManager.default.attributesOfItem(atPath: "\(self.directory)/tickets.sqlite-wal")
        return (attributes[.size] as? Int) ?? 0
    }

    /// Waits until the one call that runs does something that others see.
    private mutating func advance(now: ContinuousClock.Instant, chance: Double) async {
        switch await self.progress.next() {
        case .asks(let request)?: self.waiting.append(Waiting(request: request))
        case .published(let call)?:
            self.accepted.add(call.accepted)
            self.lanes.finished(call, now: now, chance: chance)
        case .terminated(let call)?: self.lanes.finished(call, now: now, chance: chance)
        case nil: break
        }
    }
}
