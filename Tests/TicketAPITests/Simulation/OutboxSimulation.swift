import Foundation
import GRDB
import PusherPublisher
import Support

@testable import TicketAPI

/// Users who write, a relay that is killed, a broker that fails and goes away, clients that come, go and lose their rights: in an
/// order that a seed says.
///
/// In the end, and at each step, `OutboxModel` and `SimulatedBroker` say what went wrong.
struct OutboxSimulation {
    private static let tickets: ClosedRange<Int64> = 1...4

    private var random: SeededGenerator
    private var now = ContinuousClock.now
    private var life: RelayLife
    private var model = OutboxModel()
    private var broker = SimulatedBroker()
    private var isBrokerAway = false
    private var number: Int64 = 0
    private(set) var crashes = 0

    init(seed: UInt64) async throws {
        self.random = SeededGenerator(seed: seed)
        self.life = try await RelayLife(directory: try TicketHarness.temporaryDirectory())
    }

    var complaints: [String] { self.model.complaints + self.broker.complaints }
    var events: Int { self.model.events.count }
    var repetitions: Int { self.model.repetitions }

    /// Runs until the first complaint, and to the end of everything that was begun. The number of the last step.
    mutating func run(steps: Int) async throws -> Int {
        for step in 1...steps {
            try await self.step()
            await self.pump()
            guard self.complaints.isEmpty else { return step }
        }
        try await self.settle()
        return steps
    }

    mutating func remove() async throws {
        // Nothing waits after a run without complaints; after others the calls have to end before the store does.
        while !self.life.waiting.isEmpty { await self.answer(0) }
        try self.life.store.close()
        try FileManager.default.removeItem(atPath: self.life.directory)
    }

    private mutating func step() async throws {
        switch Int.random(in: 0..<100, using: &self.random) {
        case 0..<25: try await self.write()
        case 25..<29: try await self.revoke()
        case 29..<31: await self.writeAndRollBack()
        case 31..<38: self.broker.join(Int64.random(in: Self.tickets, using: &self.random), using: &self.random)
        case 38..<40:
            let leaver = self.broker.standing.randomElement(using: &self.random)
            self.broker.end { $0 === leaver }
        case 40..<85: await self.advanceCall()
        case 85..<90: self.deliver()
        case 90..<92: self.toggleBroker()
        case 92..<94: try await self.crash()
        case 94..<96: try await self.life.delete()
        default: self.now += .milliseconds(Int.random(in: 0..<600, using: &self.random))
        }
    }

    // MARK: What users do

    private mutating func nextData(_ ticket: Int64) -> SharedData {
        self.number += 1
        return SharedData(ReadMark(userID: ticket, messageID: self.number))
    }

    private mutating func write() async throws {
        let ticket = Int64.random(in: Self.tickets, using: &self.random)
        let data = self.nextData(ticket)
        let socketID = self.random.once(in: 3) ? self.broker.standing.randomElement(using: &self.random)?.socketID : nil
        try await self.life.store.write {
            try $0.publish(.messageRead, of: ticket, on: [.chat(ticket)], data, except: socketID)
        }
        self.model.committed(data.text, of: ticket, isPoison: Self.isPoison(data.text))
    }

    private mutating func writeAndRollBack() async {
        let ticket = Int64.random(in: Self.tickets, using: &self.random)
        let data = self.nextData(ticket)
        // It throws what it was told to throw.
        try? await self.life.store.write {
            try $0.publish(.messageRead, of: ticket, on: [.chat(ticket)], data)
            throw CancellationError()
        }
    }

    private mutating func revoke() async throws {
        let ticket = Int64.random(in: Self.tickets, using: &self.random)
        let isChannel = self.random.once(in: 3)
        let channel = isChannel ? "private-chat.\(ticket)" : nil
        self.number += 1
        let known = self.broker.standing.randomElement(using: &self.random)?.socketID
        let sockets = isChannel ? [] : ["2.\(self.number)"] + [known].compactMap { $0 }
        let reconnects = self.random.once(in: 2)
        try await self.life.store.write {
            try $0.insertTermination(
                sockets: sockets, channels: [channel].compactMap { $0 }, reconnects: reconnects, userID: nil)
        }
        self.model.committedTermination(sockets: sockets, channel: channel)
    }

    /// Some events are such that every broker refuses them.
    private static func isPoison(_ data: String) -> Bool { data.hasSuffix("7}") }

    // MARK: What the broker does

    private mutating func advanceCall() async {
        guard !self.life.waiting.isEmpty else { return }
        let index = Int.random(in: self.life.waiting.indices, using: &self.random)
        guard self.life.waiting[index].answer == nil else { return await self.answer(index) }
        self.life.decide(index, self.answerOfBroker(self.life.waiting[index].request.question))
    }

    private mutating func answer(_ index: Int) async {
        let chance = Double.random(in: 0...1, using: &self.random)
        await self.life.answer(index, now: self.now, chance: chance)
    }

    private mutating func answerOfBroker(_ question: SimulatedLine.Question) -> PublishFailure? {
        guard !self.isBrokerAway else { return .unavailable("away") }
        switch Int.random(in: 0..<20, using: &self.random) {
        case 0: return .unavailable("failed before it was read")
        case 1: if case .publish = question { return .failed(status: 500) }
        default: break
        }
        if case .publish(let events) = question, events.contains(where: { Self.isPoison($0.data) }) {
            return .rejected(status: 400)
        }
        self.accept(question)
        guard self.random.once(in: 12) else { return nil }
        if case .publish(let events) = question { for event in events { self.model.mayRepeat(event.data) } }
        return .unavailable("the answer is lost")
    }

    private mutating func accept(_ question: SimulatedLine.Question) {
        switch question {
        case .publish(let events):
            for event in events {
                let ticket = Int64(event.channel.dropFirst("private-chat.".count)) ?? 0
                self.model.accepted(event.data, of: ticket)
                self.broker.publish(event.data, to: ticket, excluding: event.socketID)
            }
        case .endConnections(let sockets):
            self.model.ended(sockets: sockets)
            self.broker.end { sockets.contains($0.socketID) }
        case .endSubscriptions(let channel):
            self.model.ended(channel: channel)
            self.broker.end { "private-chat.\($0.ticket)" == channel }
        }
    }

    private mutating func deliver() {
        let before = self.broker.standing.map(\.received.count)
        self.broker.deliver()
        for (subscriber, count) in zip(self.broker.standing, before) {
            for data in subscriber.received.dropFirst(count) { self.model.received(data, by: subscriber.socketID) }
        }
    }

    private mutating func toggleBroker() {
        self.isBrokerAway.toggle()
        // Its clients are gone with it.
        if self.isBrokerAway { self.broker.end { _ in true } }
    }

    // MARK: The end of the process

    private mutating func crash() async throws {
        self.crashes += 1
        var torn: (ticket: Int64, data: String)?
        var walBytes: Int?
        if self.random.once(in: 2) {
            // In the middle of a write, which nobody was told of.
            let ticket = Int64.random(in: Self.tickets, using: &self.random)
            let data = self.nextData(ticket)
            walBytes = try self.life.walBytes()
            try await self.life.store.write { try $0.publish(.messageRead, of: ticket, on: [.chat(ticket)], data) }
            torn = (ticket, data.text)
        }
        let cut = Double.random(in: 0...1, using: &self.random)
        let directory = try await self.life.crash(inWriteSince: walBytes, cut: cut)
        self.life = try await RelayLife(directory: directory)
        let left = try await self.life.store.read { tables in
            try String.fetchAll(tables.db, sql: "SELECT data FROM outbox")
        }
        for data in left { self.model.mayRepeat(data) }
        if let torn, left.contains(torn.data) {
            self.model.committed(torn.data, of: torn.ticket, isPoison: Self.isPoison(torn.data))
        }
    }

    // MARK: The end of the simulation

    /// The broker is well from now on: everything that waits goes out.
    private mutating func settle() async throws {
        self.isBrokerAway = false
        for _ in 0..<10_000 {
            await self.pump()
            if let index = self.life.waiting.indices.first {
                if self.life.waiting[index].answer == nil {
                    let question = self.life.waiting[index].request.question
                    var isPoisoned = false
                    if case .publish(let events) = question { isPoisoned = events.contains { Self.isPoison($0.data) } }
                    if !isPoisoned { self.accept(question) }
                    self.life.decide(index, isPoisoned ? .rejected(status: 400) : nil)
                }
                await self.answer(index)
            } else if let wake = self.life.nextWake {
                self.now = max(self.now, wake)
            } else {
                break
            }
        }
        try await self.life.delete()
        self.deliver()
        self.broker.checkAll()
        self.model.checkComplete()
        let news = try await self.life.store.read { try $0.pendingNews() }
        if !news.isEmpty { self.model.complain("\(news.tickets) wait although nothing hinders them") }
    }

    private mutating func pump() async {
        let chance = Double.random(in: 0...1, using: &self.random)
        await self.life.pump(now: self.now, chance: chance)
    }
}
