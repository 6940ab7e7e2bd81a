import Foundation
import Logging
import PusherProtocol
import Testing
import Webhooks

/// Reload, bounds and the end.
@Suite(.timeLimit(.minutes(3))) struct DispatcherTests {
    private let channels: [ChannelName]

    init() throws {
        self.channels = try (0..<60).map { try channel("c\($0)") }
    }

    private func summaries(_ requests: [Receiver.Request]) throws -> [String] {
        try requests.flatMap { request in try events(of: request.body).map(\.summary) }
    }

    private func occupied(_ range: Range<Int>) -> [WebhookEvent] { self.channels[range].map { .channelOccupied($0) } }

    private func told(_ range: Range<Int>) -> [String] { range.map { "channel_occupied c\($0)" } }

    @Test("WH-15: at a reload what is queued stays queued, follows the new settings, and what is gone is dropped")
    func reload() async throws {
        let (kept, gone, new) = (try await Receiver(), try await Receiver(), try await Receiver())
        kept.answer { _, _ in .status(500) }
        gone.answer { _, _ in .status(500) }
        let before = [try WebhookEndpoint(url: kept.url), try WebhookEndpoint(url: gone.url)]
        var configuration = WebhookConfiguration.quick
        configuration.retryTime = .seconds(30)
        let ran = try await running(before, configuration) { running in
            running.put(self.occupied(0..<10))
            _ = await kept.requests(2)
            _ = await gone.requests(2)
            let credentials = AppCredentials(id: "4711", key: "key-9", secret: AppSecret("secret-9"))
            running.dispatcher.reload([
                WebhookApp(
                    credentials: credentials,
                    endpoints: [
                        try WebhookEndpoint(url: new.url, eventTypes: ["channel_occupied"]),
                        try WebhookEndpoint(url: kept.url, headers: [("X-New", "1")]),
                    ])
            ])
            let line = try await running.logged("no longer configured")
            #expect(line.contains("events=9") && line.contains("endpoint=\(gone.url)"))
            kept.answer { _, _ in .status(200) }
            _ = try await running.logged("accepted again")
            running.put(self.occupied(10..<12))
            _ = await new.requests(2)
        }
        let accepted = kept.requests.drop { $0.values("X-New").isEmpty }
        #expect(try self.summaries(Array(accepted)).suffix(12) == self.told(0..<12)[...])
        #expect(kept.requests.last?.values("X-Pusher-Key") == ["key-9"])
        #expect(try self.summaries(new.requests) == self.told(10..<12))
        #expect(try await ran.box.list().isEmpty)
    }

    @Test("WH-15: what is held back stays held back over a reload")
    func reloadKeepsHeldBack() async throws {
        let receiver = try await Receiver()
        let endpoint = try WebhookEndpoint(url: receiver.url)
        var configuration = WebhookConfiguration.quick
        configuration.holdBack = .seconds(30)
        _ = try await running([endpoint], configuration) { running in
            running.put(.channelVacated(self.channels[0]), .channelVacated(self.channels[1]))
            running.put(.cacheMiss(self.channels[2]))
            _ = await receiver.requests(1)
            running.dispatcher.reload([WebhookApp(credentials: .test, endpoints: [endpoint])])
            running.put(.channelOccupied(self.channels[0]))
        }
        #expect(try self.summaries(receiver.requests) == ["cache_miss c2", "channel_vacated c1"])
    }

    @Test("WH-15: an app that is gone is told nothing more, one that is new is")
    func reloadOfApps() async throws {
        let (old, new) = (try await Receiver(), try await Receiver())
        _ = try await running([try WebhookEndpoint(url: old.url)]) { running in
            running.put(self.occupied(0..<1))
            _ = await old.requests(1)
            running.dispatcher.reload([
                WebhookApp(
                    credentials: AppCredentials(id: "2", key: "k", secret: AppSecret("s")),
                    endpoints: [try WebhookEndpoint(url: new.url)])
            ])
            running.put(self.occupied(1..<2))
            running.put(self.occupied(2..<3), app: "2")
        }
        #expect(try self.summaries(old.requests) == self.told(0..<1))
        #expect(try self.summaries(new.requests) == self.told(2..<3))
    }

    @Test("WH-16: at the end what is held back is told, batches do not wait, and all is sent")
    func orderlyEnd() async throws {
        let (single, batched) = (try await Receiver(), try await Receiver())
        var configuration = WebhookConfiguration.quick
        configuration.holdBack = .seconds(60)
        configuration.batchDelay = .seconds(60)
        let endpoints = [try WebhookEndpoint(url: single.url), try WebhookEndpoint(url: batched.url, batches: true)]
        let ran = try await running(endpoints, configuration) { running in
            running.put(self.occupied(0..<5))
            running.put(.channelVacated(self.channels[0]), .channelVacated(self.channels[1]))
        }
        let expected = self.told(0..<5) + ["channel_vacated c0", "channel_vacated c1"]
        #expect(try self.summaries(single.requests) == expected)
        #expect(try self.summaries(batched.requests) == expected)
        #expect(batched.requests.count == 1)
        #expect(try await ran.box.list().isEmpty)
        #expect(ran.log.lines.isEmpty)
    }

    @Test("WH-17: what cannot be sent at the end is a dead letter", arguments: [true, false])
    func lettersAtTheEnd(isSilent: Bool) async throws {
        let receiver = try await Receiver { _, _ in isSilent ? .silence : .status(500) }
        var configuration = WebhookConfiguration.quick
        configuration.retryTime = .seconds(30)
        configuration.shutdownTime = .milliseconds(200)
        // The answer is not waited for: the test's own limit is shorter.
        let ran = try await running([try WebhookEndpoint(url: receiver.url)], configuration) { running in
            running.put(self.occupied(0..<5))
            _ = await receiver.requests(1)
        }
        let letters = try await ran.box.list()
        try #require(letters.count == 2)
        #expect(letters[0].attempts >= 1)
        #expect(letters[1].attempts == 0)
        #expect(letters[1].failure == "the server was shut down")
        #expect(try letters.flatMap { try events(of: $0.body).map(\.summary) } == self.told(0..<5))
        #expect(ran.log.lines.contains { $0.contains("dead letters") && $0.contains("events=4") })
        ran.put(self.occupied(5..<6))
        #expect(try await ran.box.list().count == 2)
    }

    @Test("WH-17: a cancelled server keeps what it has, too")
    func cancelled() async throws {
        let receiver = try await Receiver { _, _ in .silence }
        let directory = try TemporaryDirectory()
        let logger = Logger(label: "test") { _ in RecordingLog() }
        let box = DeadLetterBox(directory: "\(directory.path)/dead-letters", logger: logger)
        let app = WebhookApp(credentials: .test, endpoints: [try WebhookEndpoint(url: receiver.url)])
        let dispatcher = WebhookDispatcher(apps: [app], deadLetters: box, logger: logger)
        let task = Task { try await dispatcher.run() }
        for event in self.occupied(0..<5) { dispatcher.put(event, app: "4711") }
        dispatcher.put(.channelVacated(self.channels[9]), app: "4711")
        _ = await receiver.requests(1)
        task.cancel()
        try await task.value
        let told = try await box.list().flatMap { try events(of: $0.body).map(\.summary) }
        #expect(Set(told) == Set(self.told(0..<5) + ["channel_vacated c9"]))
    }

    @Test("WH-14: a queue that is full gives its oldest to the dead letters, with one line in the log")
    func fullQueue() async throws {
        let receiver = try await Receiver { _, _ in .silence }
        var configuration = WebhookConfiguration.quick
        configuration.maxEvents = 10
        configuration.shutdownTime = .milliseconds(200)
        let ran = try await running([try WebhookEndpoint(url: receiver.url)], configuration) { running in
            running.put(self.occupied(0..<1))
            _ = await receiver.requests(1)
            running.put(self.occupied(1..<11))
            for first in stride(from: 11, to: 51, by: 10) { running.put(self.occupied(first..<first + 10)) }
            let letters = try await running.letters(1)
            #expect(letters.allSatisfy { $0.attempts == 0 && $0.failure == "the queue was full" })
            receiver.answer { _, _ in .status(200) }
        }
        let kept = try await ran.box.list().flatMap { try events(of: $0.body).map(\.summary) }
        let accepted = try self.summaries(Array(receiver.requests.dropFirst()))
        #expect(Set(kept).union(accepted) == Set(self.told(0..<51)), "nothing is lost")
        #expect(ran.log.lines.filter { $0.contains("Too many webhooks wait") }.count == 1)
    }

    @Test("WH-18: an inbox that nobody empties is bounded, and says how many events it lost")
    func fullInbox() async throws {
        let receiver = try await Receiver()
        let directory = try TemporaryDirectory()
        let log = RecordingLog()
        let logger = Logger(label: "test") { _ in log }
        var configuration = WebhookConfiguration.quick
        // Room for ten, with 128 bytes beside the channel's name.
        configuration.maxInboxBytes = 10 * 131
        let box = DeadLetterBox(directory: "\(directory.path)/dead-letters", logger: logger)
        let app = WebhookApp(credentials: .test, endpoints: [try WebhookEndpoint(url: receiver.url)])
        let dispatcher = WebhookDispatcher(apps: [app], deadLetters: box, configuration: configuration, logger: logger)
        for event in self.occupied(0..<8) { dispatcher.put(event, app: "4711") }
        let large = WebhookEvent.clientEvent(
            self.channels[0],
            .init(
                name: "client-x", data: Array(repeating: 0x20, count: 1000), sender: SocketID(first: 1, second: 1),
                userID: nil))
        dispatcher.put(large, app: "4711")
        for event in self.occupied(8..<60) { dispatcher.put(event, app: "4711") }
        let task = Task { try await dispatcher.run() }
        _ = await receiver.requests(10)
        while log.lines.isEmpty { try await Task.sleep(for: .milliseconds(5)) }
        task.cancel()
        try await task.value
        #expect(try self.summaries(receiver.requests) == self.told(0..<10))
        let errors = log.lines.filter { $0.hasPrefix("error") }
        #expect(errors == ["error Webhooks are lost: too many at a time. events=51"])
    }

    @Test("WH-19: putting is done at once, from many threads, while endpoints hang")
    func putNeverWaits() async throws {
        let receiver = try await Receiver { _, _ in .silence }
        var configuration = WebhookConfiguration.quick
        configuration.shutdownTime = .milliseconds(200)
        let ran = try await running([try WebhookEndpoint(url: receiver.url)], configuration) { running in
            await withTaskGroup(of: Void.self) { tasks in
                for _ in 0..<8 {
                    tasks.addTask {
                        for _ in 0..<200 { running.put(self.occupied(0..<10)) }
                    }
                }
            }
            _ = await receiver.requests(1)
        }
        let kept = try await ran.box.list().flatMap { try events(of: $0.body) }
        #expect(kept.count == 16_000)
    }
}
