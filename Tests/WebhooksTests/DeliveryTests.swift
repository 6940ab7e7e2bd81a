import Digests
import Foundation
import PusherProtocol
import Support
import Testing
import Webhooks

@Suite(.timeLimit(.minutes(3))) struct DeliveryTests {
    private let orders: ChannelName
    private let ops: ChannelName

    init() throws {
        self.orders = try channel("orders")
        self.ops = try channel("presence-ops")
    }

    /// What is in the bodies, in order: the kind, and the channel or user.
    private func told(_ requests: [Receiver.Request]) throws -> [String] {
        try requests.flatMap { request in try events(of: request.body).map(\.summary) }
    }

    @Test("P150, WH-1, WH-2, WH-4: a signed POST of exactly application/json with the endpoint's headers")
    func request() async throws {
        let receiver = try await Receiver()
        let endpoint = try WebhookEndpoint(
            url: "\(receiver.url)?token=t", headers: [("X-Team", "support"), ("Authorization", "Basic YTpi")])
        _ = try await running([endpoint]) { $0.put(.channelOccupied(self.orders)) }
        let request = try #require(receiver.requests.first)
        #expect(request.path == "/hooks?token=t")
        #expect(request.values("Content-Type") == ["application/json"])
        #expect(request.values("X-Pusher-Key") == ["key-1"])
        #expect(request.values("X-Pusher-Signature") == [AppSecret("secret-1").sign(request.body).hex])
        #expect(request.headers.filter { $0.name.hasPrefix("X-Pusher-") }.count == 2, "canonical names")
        #expect(request.values("X-Team") == ["support"])
        #expect(request.values("Authorization") == ["Basic YTpi"])
        #expect(request.values("User-Agent") == ["Switchboard-Webhooks"])
        #expect(request.values("Content-Length") == ["\(request.body.utf8.count)"])
        let body = try body(request.body)
        #expect(abs(Double(body.time_ms) / 1000 - Date().timeIntervalSince1970) < 30)
        #expect(body.events.map(\.summary) == ["channel_occupied orders"])
    }

    @Test("P151, P152, P153, P156: what happens in a channel is told, an event in a request, in order; a reload is not")
    func lifeOfAChannel() async throws {
        let receiver = try await Receiver()
        var configuration = WebhookConfiguration.quick
        configuration.holdBack = .seconds(1)
        _ = try await running([try WebhookEndpoint(url: receiver.url)], configuration) { running in
            running.put(.channelOccupied(self.ops), .memberAdded(self.ops, userID: "a"))
            // A page reload.
            running.put(.memberRemoved(self.ops, userID: "a"), .channelVacated(self.ops))
            running.put(.channelOccupied(self.ops), .memberAdded(self.ops, userID: "a"))
            running.put(.subscriptionCount(self.orders, 2))
            _ = await receiver.requests(3)
            running.put(.memberRemoved(self.ops, userID: "a"), .channelVacated(self.ops))
            let sent = ContinuousClock.now
            let requests = await receiver.requests(5)
            #expect(requests.count == 5 && requests[3].arrival - sent >= .seconds(1))
        }
        let requests = receiver.requests
        #expect(try requests.map { try events(of: $0.body).count } == [1, 1, 1, 1, 1])
        #expect(
            try self.told(requests) == [
                "channel_occupied presence-ops", "member_added presence-ops a", "subscription_count orders 2",
                "member_removed presence-ops a", "channel_vacated presence-ops",
            ])
    }

    @Test("P154, WH-6: a client event has its data as a string, its sender and, on a presence channel, its user")
    func clientEvent() async throws {
        let receiver = try await Receiver()
        _ = try await running([try WebhookEndpoint(url: receiver.url)]) { running in
            let sender = SocketID(first: 81723, second: 4_410_982)
            let data = Array(#""{\"on\":true}""#.utf8)
            running.put(
                .clientEvent(self.ops, .init(name: "client-typing", data: data, sender: sender, userID: "u-17")),
                .clientEvent(self.orders, .init(name: "client-typing", data: data, sender: sender, userID: nil)))
        }
        let events = try receiver.requests.flatMap { try body($0.body).events }
        try #require(events.count == 2)
        #expect(events.allSatisfy { $0.data == #"{"on":true}"# && $0.socket_id == "81723.4410982" })
        #expect(events.map(\.user_id) == ["u-17", nil])
    }

    @Test("P158, WH-9: nothing is told of user channels")
    func userChannels() async throws {
        let receiver = try await Receiver()
        let user = try channel("#server-to-user-17")
        _ = try await running([try WebhookEndpoint(url: receiver.url)]) { running in
            running.put(.channelOccupied(user), .subscriptionCount(user, 1), .channelVacated(user))
            running.put(.channelOccupied(self.orders))
        }
        #expect(try self.told(receiver.requests) == ["channel_occupied orders"])
    }

    @Test("WH-8: an endpoint is told of its kinds and of channels with its prefix and suffix")
    func filters() async throws {
        let receiver = try await Receiver()
        let endpoints = [
            try WebhookEndpoint(url: "\(receiver.url)/kinds", eventTypes: ["channel_vacated", "cache_miss"]),
            try WebhookEndpoint(url: "\(receiver.url)/prefix", channelPrefix: "presence-"),
            try WebhookEndpoint(url: "\(receiver.url)/suffix", channelSuffix: "-staff"),
            try WebhookEndpoint(url: "\(receiver.url)/both", channelPrefix: "presence-", channelSuffix: "-staff"),
        ]
        let staff = try channel("presence-staff")
        _ = try await running(endpoints) { running in
            running.put(.channelOccupied(self.orders), .channelOccupied(staff), .channelOccupied(self.ops))
            running.put(.cacheMiss(self.orders), .channelVacated(self.orders), .channelOccupied(self.orders))
            running.put([.channelOccupied(self.orders)], app: "another")
        }
        let byPath = Dictionary(grouping: receiver.requests, by: \.path)
        #expect(try self.told(byPath["/hooks/kinds"] ?? []) == ["cache_miss orders"])
        #expect(
            try self.told(byPath["/hooks/prefix"] ?? [])
                == ["channel_occupied presence-staff", "channel_occupied presence-ops"])
        #expect(try self.told(byPath["/hooks/suffix"] ?? []) == ["channel_occupied presence-staff"])
        #expect(try self.told(byPath["/hooks/both"] ?? []) == ["channel_occupied presence-staff"])
    }

    @Test("WH-11: a batch has up to 20 events and comes after its delay")
    func batches() async throws {
        let receiver = try await Receiver()
        let endpoint = try WebhookEndpoint(url: receiver.url, batches: true)
        let channels = try (0..<45).map { try channel("c\($0)") }
        var configuration = WebhookConfiguration.quick
        configuration.batchDelay = .seconds(1)
        _ = try await running([endpoint], configuration) { running in
            let start = ContinuousClock.now
            running.put(channels.map { .channelOccupied($0) })
            let requests = await receiver.requests(3)
            #expect(requests.count == 3 && requests[2].arrival - start >= .seconds(1))
        }
        #expect(try receiver.requests.map { try events(of: $0.body).count } == [20, 20, 5])
        #expect(try self.told(receiver.requests) == channels.map { "channel_occupied \($0)" })
    }

    @Test("P157, WH-12, WH-25: a 500 is tried again after growing gaps, body and signature the same, until a 2xx")
    func retries() async throws {
        let receiver = try await Receiver { _, count in .status(count < 4 ? 500 : 204) }
        var configuration = WebhookConfiguration.quick
        configuration.retryTime = .seconds(30)
        let ran = try await running([try WebhookEndpoint(url: receiver.url)], configuration) { running in
            running.put(.channelOccupied(self.orders))
            _ = await receiver.requests(5)
            running.put(.channelOccupied(self.ops))
            _ = await receiver.requests(6)
        }
        let requests = receiver.requests
        try #require(requests.count == 6)
        #expect(Set(requests[..<5].map(\.body)).count == 1)
        #expect(Set(requests[..<5].flatMap { $0.values("X-Pusher-Signature") }).count == 1)
        for (index, least) in [16, 32, 64, 128].enumerated() {
            #expect(requests[index + 1].arrival - requests[index].arrival >= .milliseconds(least))
        }
        #expect(try self.told([requests[5]]) == ["channel_occupied presence-ops"])
        #expect(try await ran.box.list().isEmpty)
        #expect(ran.log.lines.filter { $0.hasPrefix("warning") }.count == 1, "one line, whatever the number of tries")
        #expect(ran.log.lines.filter { $0.hasPrefix("info A webhook is accepted again.") }.count == 1)
        #expect(ran.log.lines[0].contains("endpoint=\(receiver.url) ") || ran.log.lines[0].hasSuffix(receiver.url))
    }

    @Test("P157, WH-13, WH-26: what is refused for its whole time is a dead letter, and the next request goes out")
    func givesUp() async throws {
        let receiver = try await Receiver { request, _ in .status(request.body.contains("orders") ? 500 : 200) }
        let endpoint = try WebhookEndpoint(url: "\(receiver.url)?token=t", headers: [("X-Secret", "hush")])
        let ran = try await running([endpoint]) { running in
            running.put(.channelOccupied(self.orders), .channelOccupied(self.ops))
            _ = try await running.letters(1)
            _ = try await running.logged("accepted again")
        }
        let letter = try #require(try await ran.box.list().first)
        let first = try #require(receiver.requests.first)
        #expect(letter.app == "4711")
        #expect(letter.url == endpoint.url)
        #expect(letter.body == first.body)
        #expect(try body(first.body).time_ms == letter.createdMS)
        #expect(letter.givenUpMS > letter.createdMS)
        #expect(letter.attempts == receiver.requests.count - 1)
        #expect(letter.failure == "status 500")
        #expect(try self.told([try #require(receiver.requests.last)]) == ["channel_occupied presence-ops"])
        for line in ran.log.lines { #expect(!line.contains("token") && !line.contains("hush")) }
    }

    @Test("WH-12: per channel the order holds over failures")
    func orderOverFailures() async throws {
        // Two of three requests fail, whatever they carry.
        let receiver = try await Receiver { _, count in .status(count % 3 == 2 ? 200 : 503) }
        let channels = try (0..<20).map { try channel("c\($0)") }
        var configuration = WebhookConfiguration.quick
        configuration.firstPause = .milliseconds(1)
        configuration.retryTime = .seconds(30)
        _ = try await running([try WebhookEndpoint(url: receiver.url)], configuration) { running in
            running.put(channels.map { .channelOccupied($0) })
            _ = await receiver.requests(60)
        }
        let accepted = receiver.requests.enumerated().filter { $0.offset % 3 == 2 }.map(\.element)
        #expect(try self.told(accepted) == channels.map { "channel_occupied \($0)" })
    }

    @Test("WH-5: an endpoint that hangs fails when its time is over")
    func noAnswer() async throws {
        let receiver = try await Receiver { _, _ in .silence }
        var configuration = WebhookConfiguration.quick
        configuration.answerTime = .milliseconds(300)
        configuration.retryTime = .zero
        _ = try await running([try WebhookEndpoint(url: receiver.url)], configuration) { running in
            running.put(.channelOccupied(self.orders))
            let letter = try #require(try await running.letters(1).first)
            #expect(letter.failure.contains("no answer within"), "\(letter.failure)")
            #expect(letter.attempts == 1)
        }
    }

    @Test("WH-5: while an endpoint hangs, another one goes on")
    func hangsAlone() async throws {
        let bad = try await Receiver { _, _ in .silence }
        let good = try await Receiver()
        let channels = try (0..<50).map { try channel("c\($0)") }
        var configuration = WebhookConfiguration.quick
        configuration.shutdownTime = .milliseconds(200)
        let endpoints = [try WebhookEndpoint(url: bad.url), try WebhookEndpoint(url: good.url)]
        _ = try await running(endpoints, configuration) { running in
            running.put(channels.map { .channelOccupied($0) })
            _ = await bad.requests(1)
            _ = await good.requests(50)
        }
        #expect(try self.told(good.requests) == channels.map { "channel_occupied \($0)" })
        #expect(bad.requests.count == 1)
    }

    @Test(
        "WH-5, WH-7: an endpoint that redirects, refuses or breaks off fails, while another one goes on",
        arguments: [
            (Receiver.Answer.close, "closed"),
            (.status(302, headers: [("Location", "/elsewhere")]), "status 302; redirects are not followed"),
            (.status(404), "status 404"),
        ])
    func failures(_ vector: (answer: Receiver.Answer, failure: String)) async throws {
        let bad = try await Receiver { _, _ in vector.answer }
        let good = try await Receiver()
        let channels = try (0..<50).map { try channel("c\($0)") }
        var configuration = WebhookConfiguration.quick
        configuration.retryTime = .zero
        let endpoints = [try WebhookEndpoint(url: bad.url), try WebhookEndpoint(url: good.url)]
        _ = try await running(endpoints, configuration) { running in
            running.put(channels.map { .channelOccupied($0) })
            #expect(await good.requests(50).count == 50)
            let letter = try #require(try await running.letters(1).first)
            #expect(letter.failure.contains(vector.failure), "\(letter.failure)")
            #expect(letter.attempts == 1)
        }
        #expect(try self.told(good.requests) == channels.map { "channel_occupied \($0)" })
        #expect(bad.requests.allSatisfy { $0.path == "/hooks" }, "the redirect was followed")
    }

    @Test("WH-5: nobody listens")
    func noConnection() async throws {
        let nobody = try ReservedPort()
        var configuration = WebhookConfiguration.quick
        configuration.retryTime = .zero
        let endpoint = try WebhookEndpoint(url: "http://127.0.0.1:\(nobody.port)/hooks")
        _ = try await running([endpoint], configuration) { running in
            running.put(.channelOccupied(self.orders))
            let letters = try await running.letters(1)
            #expect(letters.first?.failure == "Connection refused")
        }
    }

    @Test("WH-5: a 2xx counts when its head comes, whatever its body does", arguments: [true, false])
    func answersBody(isEndless: Bool) async throws {
        let receiver = try await Receiver { _, _ in
            isEndless ? .endless : .status(201, body: String(repeating: "x", count: 1_000_000))
        }
        var configuration = WebhookConfiguration.quick
        // For so long a body is read.
        if isEndless { configuration.answerTime = .seconds(5) }
        let ran = try await running([try WebhookEndpoint(url: receiver.url)], configuration) { running in
            running.put(.channelOccupied(self.orders), .channelOccupied(self.ops))
            _ = await receiver.requests(2)
        }
        #expect(try self.told(receiver.requests) == ["channel_occupied orders", "channel_occupied presence-ops"])
        #expect(try await ran.box.list().isEmpty)
    }

    @Test("WH-5: an endpoint has four seconds")
    func defaults() {
        let configuration = WebhookConfiguration()
        #expect(configuration.answerTime == .seconds(4))
        #expect(configuration.holdBack == .seconds(3))
        #expect(configuration.retryTime == .seconds(300))
        #expect(configuration.batchDelay == .milliseconds(250) && configuration.batchSize == 20)
    }
}
