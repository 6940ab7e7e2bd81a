import Foundation
import GRDB
import Logging
import NIOHTTP1
import NIOPosix
import PusherPublisher
import ServiceLifecycle
import Synchronization
import Testing

@testable import TicketAPI

@Suite(.timeLimit(.minutes(3)))
struct RelayTests {
    /// The contents of the messages of one ticket, in the order in which the broker accepted them.
    private static func contents(_ events: [RecordingBroker.Event], _ ticket: Int64) -> [String] {
        events.filter { $0.channel == "private-chat.\(ticket)" && $0.name == "NewMessage" }
            .compactMap { $0.json["message"]["content"].string }
    }

    @Test(
        "EVT-2, EVT-8: many clients at once: messages go out in order per ticket, once, in calls of at most ten"
    )
    func order() async throws {
        try await TicketHarness.run(style: .both) { api in
            let ada = try await api.customer("Ada")
            var tickets: [Int64] = []
            for _ in 0..<4 { tickets.append(try await api.ticket(of: ada)) }
            try await withThrowingTaskGroup(of: Void.self) { group in
                for ticket in tickets {
                    group.addTask {
                        for index in 0..<50 {
                            let reply = try await api.post("\(index)", to: ticket, as: ada)
                            #expect(reply.status == 201)
                        }
                    }
                }
                try await group.waitForAll()
            }
            let events = await api.broker.waitForEvents(4 * 4 + 4 * 50 * 2)
            for ticket in tickets { #expect(Self.contents(events, ticket) == (0..<50).map(String.init)) }
            let perCall = Dictionary(grouping: events, by: \.request).mapValues(\.count)
            #expect(perCall.values.allSatisfy { $0 <= 10 })
        }
    }

    @Test("EVT-1, EVT-2: while the broker is away, posting works; when it is back, everything comes in order")
    func brokerAway() async throws {
        try await TicketHarness.run { api in
            let ada = try await api.customer("Ada")
            let ticket = try await api.ticket(of: ada)
            _ = await api.broker.waitForEvents(2)
            try await api.broker.stop()
            for index in 0..<25 { #expect(try await api.post("\(index)", to: ticket, as: ada).status == 201) }
            #expect(try await api.call(.GET, "/up").status == 200)
            try await api.broker.start()
            let events = await api.broker.waitForEvents(27)
            #expect(Self.contents(events, ticket) == (0..<25).map(String.init))
        }
    }

    @Test(
        "EVT-9: a status that does not speak of the event is tried again until it has passed, whoever answers",
        arguments: [301, 401, 402, 403, 404, 405, 408, 410, 429, 500, 502, 503])
    func retries(_ status: Int) async throws {
        try await TicketHarness.run { api in
            let ada = try await api.customer("Ada")
            let failures = Mutex(3)
            api.broker.answer { _ in
                failures.withLock { left in
                    left -= 1
                    return left >= 0 ? status : 200
                }
            }
            let ticket = try await api.ticket(of: ada)
            for index in 0..<3 { _ = try await api.post("\(index)", to: ticket, as: ada) }
            let events = await api.broker.waitForEvents(5)
            #expect(Self.contents(events, ticket) == ["0", "1", "2"])
            #expect(api.broker.snapshot.refused == 3)
        }
    }

    @Test(
        "EVT-9: an event that is refused for good is dropped; its ticket and its neighbours in the call go on",
        arguments: [400, 413, 422])
    func poison(_ status: Int) async throws {
        try await TicketHarness.run { api in
            let ada = try await api.customer("Ada")
            try await api.broker.stop()
            var tickets: [Int64] = []
            for _ in 0..<3 { tickets.append(try await api.ticket(of: ada)) }
            for content in ["a", "poison", "b"] {
                for ticket in tickets { _ = try await api.post(content, to: ticket, as: ada) }
            }
            let poisoned = "private-chat.\(tickets[1])"
            api.broker.answer { events in
                events.contains { $0.channel == poisoned && $0.data.contains("poison") } ? status : 200
            }
            try await api.broker.start()
            let events = await api.broker.waitForEvents(3 * 2 + 8)
            #expect(Self.contents(events, tickets[0]) == ["a", "poison", "b"])
            #expect(Self.contents(events, tickets[1]) == ["a", "b"])
            #expect(Self.contents(events, tickets[2]) == ["a", "poison", "b"])
        }
    }

    @Test("EVT-9: a server that takes no socket id gets the event without it, in its place")
    func refusedSocketID() async throws {
        try await TicketHarness.run { api in
            let ada = try await api.customer("Ada")
            let ticket = try await api.ticket(of: ada)
            api.broker.answer { events in events.contains { $0.socketID != nil } ? 400 : 200 }
            for index in 0..<3 {
                _ = try await api.post("\(index)", to: ticket, as: ada, headers: [("X-Socket-ID", "12.\(index)")])
            }
            let events = await api.broker.waitForEvents(2 + 3)
            #expect(Self.contents(events, ticket) == ["0", "1", "2"])
        }
    }

    @Test("A call that finds nothing to publish says nothing about the broker")
    func emptyCall() async throws {
        let broker = try await RecordingBroker()
        broker.answer { _ in 500 }
        let directory = try TicketHarness.temporaryDirectory()
        let doorbell = OutboxDoorbell()
        let store = try TicketStore.open(dataDirectory: directory, onNews: doorbell.ring)
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        let publisher = HTTPEventPublisher(
            target: PublishTarget(scheme: .http, host: "127.0.0.1", port: broker.port),
            credentials: LiveCredentials(RecordingBroker.credentials), loop: loop)
        let log = RecordingLog()
        let relay = OutboxRelay(
            store: store, doorbell: doorbell, publisher: publisher, names: EventNames(style: .plain, aliases: [:]),
            counts: TicketCounts(), loop: loop, logger: Logger(label: "relay") { _ in log })
        let services = ServiceGroup(configuration: .init(services: [relay], logger: TicketHarness.logger))
        let running = Task { try await services.run() }

        try await store.write { tables in
            let mark = ReadMark(userID: 1, messageID: 1)
            try tables.publish(.messageRead, of: 1, on: [.chat(1)], SharedData(mark))
        }
        await broker.wait { $0.refused >= 1 }
        doorbell.ring(OutboxNews(tickets: [2]))
        // While ticket 1 fails, ticket 2 has had its turn by now.
        await broker.wait { $0.refused >= 4 }
        #expect(log.messages == ["Events cannot be published; they wait in the outbox."])
        broker.answer { _ in 200 }
        _ = await broker.waitForEvents(1)

        await services.triggerGracefulShutdown()
        try await running.value
        #expect(log.messages.dropFirst() == ["The broker accepts events again."])
        try await publisher.shutdown()
        try await broker.stop()
        try store.close()
        try FileManager.default.removeItem(atPath: directory)
    }

    @Test("EVT-10: a ticket on which the broker fails again and again holds up no other")
    func failingTicket() async throws {
        try await TicketHarness.run { api in
            let ada = try await api.customer("Ada")
            let sick = try await api.ticket(of: ada)
            let well = try await api.ticket(of: ada)
            _ = await api.broker.waitForEvents(4)
            let isHealed = Mutex(false)
            api.broker.answer { events in
                let fails = events.contains { $0.channel == "private-chat.\(sick)" } && !isHealed.withLock { $0 }
                return fails ? 500 : 200
            }
            for index in 0..<10 {
                _ = try await api.post("\(index)", to: sick, as: ada)
                _ = try await api.post("\(index)", to: well, as: ada)
            }
            let events = await api.broker.waitForEvents(14)
            #expect(Self.contents(events, well) == (0..<10).map(String.init))
            #expect(Self.contents(events, sick) == [])
            isHealed.withLock { $0 = true }
            let all = await api.broker.waitForEvents(24)
            #expect(Self.contents(all, sick) == (0..<10).map(String.init))
        }
    }

    @Test("EVT-1, EVT-2: what was committed but not published goes out after a restart, with the same ids")
    func recovery() async throws {
        try await TicketHarness.run { api in
            let ada = try await api.customer("Ada")
            let ticket = try await api.ticket(of: ada)
            _ = await api.broker.waitForEvents(2)
            try await api.broker.stop()
            var ids: [Value] = []
            for index in 0..<12 { ids.append(try await api.post("\(index)", to: ticket, as: ada).json["data"]["id"]) }
            try await api.stop()
            try await api.broker.start()
            try await api.start()
            let events = await api.broker.waitForEvents(14)
            #expect(events.dropFirst(2).map { $0.json["message"]["id"] } == ids)

            // All rows are gone, so a further start says nothing again.
            try await api.stop()
            let queue = try TicketHarness.database(in: api.directory)
            #expect(try await queue.read { try Int.fetchOne($0, sql: "SELECT count(*) FROM outbox") } == 0)
            try queue.close()
            #expect(api.broker.events.count == 14)
        }
    }

    @Test("EVT-1: a row that an earlier process left behind is published at the start")
    func leftBehind() async throws {
        try await TicketHarness.run { api in
            try await api.stop()
            let queue = try TicketHarness.database(in: api.directory)
            try await queue.write { db in
                for index in 0..<30 {
                    try db.execute(
                        sql: "INSERT INTO outbox (ticket_id, event, channels, data) VALUES (7, 'NewMessage', ?, ?)",
                        arguments: ["private-chat.7", #"{"message":{"content":"\#(index)"}}"#])
                }
            }
            try queue.close()
            try await api.start()
            let events = await api.broker.waitForEvents(30)
            #expect(Self.contents(events, 7) == (0..<30).map(String.init))
        }
    }

    @Test("OPS-4: a shutdown publishes what is pending first")
    func drain() async throws {
        try await TicketHarness.run { api in
            let ada = try await api.customer("Ada")
            let ticket = try await api.ticket(of: ada)
            for index in 0..<40 { _ = try await api.post("\(index)", to: ticket, as: ada) }
            try await api.stop()
            #expect(Self.contents(api.broker.events, ticket) == (0..<40).map(String.init))
        }
    }
}
