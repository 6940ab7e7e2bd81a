import BrokerCore
import PusherProtocol
import Testing

@Suite struct ReloadTests {
    @Test("A reload keeps connections and subscriptions, applies new settings, and closes those of a disabled app")
    func reload() async throws {
        let other = AppCredentials(id: "2", key: "other-key", secret: AppSecret("other-secret"))
        try await TestBroker.run(others: [Application(credentials: other)]) { broker in
            let client = try await broker.client()
            try await client.subscribe("private-ops")
            let stranger = try await broker.client(key: "other-key")

            let silent = TestBroker.application { features, _, _ in features.clientEvents = false }
            await broker.reload([silent, Application(credentials: other, isEnabled: false)])
            #expect(try await stranger.next().data?.contains("4003") == true)
            #expect(try await stranger.closeCode() == 4003)
            try await client.send(#"{"event":"client-a","channel":"private-ops","data":""}"#)
            #expect(try await client.next().event == "pusher:error")
            try await broker.trigger(#"{"name":"n","channel":"private-ops","data":"kept"}"#)
            #expect(try await client.next().data == "kept")

            await broker.reload([Application(credentials: other)])
            #expect(try await client.next().data?.contains("4001") == true)
            #expect(try await client.closeCode() == 4001)
            _ = try await broker.client(key: "other-key")
        }
    }

    @Test("While two secrets are live, both sign publishes and subscriptions")
    func rotation() async throws {
        let next = AppSecret("the next secret")
        let both = AppCredentials(
            id: TestBroker.credentials.id, key: TestBroker.credentials.key, secret: TestBroker.credentials.secret,
            nextSecret: next)
        let new = AppCredentials(id: both.id, key: both.key, secret: next)
        let body = #"{"name":"n","channel":"c","data":""}"#
        try await TestBroker.run(application: Application(credentials: both)) { broker in
            for credentials in [TestBroker.credentials, new] {
                #expect(try await broker.trigger(body, credentials: credentials).status == 200)
                let client = try await broker.client()
                try await client.send(client.subscription("private-ops", credentials: credentials))
                #expect(try await client.next().event == "pusher_internal:subscription_succeeded")
            }
            await broker.reload([Application(credentials: new)])
            #expect(try await broker.trigger(body).status == 401)
            #expect(try await broker.trigger(body, credentials: new).status == 200)
        }
    }

    @Test("Reloads that overlap leave every loop with the same apps", .timeLimit(.minutes(2)))
    func overlapping() async throws {
        let other = Application(
            credentials: AppCredentials(id: "2", key: "other-key", secret: AppSecret("other-secret")))
        try await TestBroker.run(loops: 4) { broker in
            for _ in 0..<50 {
                async let without: Void = broker.reload([TestBroker.application()])
                async let with: Void = broker.reload([TestBroker.application(), other])
                _ = await (without, with)
                var answers: Set<String> = []
                for _ in 0..<4 {
                    let client = try await PusherTestClient.connect(port: broker.port, path: "/app/other-key")
                    answers.insert(try await client.next().event)
                    client.raw.cut()
                }
                #expect(answers.count == 1)
            }
        }
    }

    @Test("A channel whose name is longer than a new limit can still be left")
    func longName() async throws {
        try await TestBroker.run { broker in
            let client = try await broker.client()
            let name = String(repeating: "a", count: 160)
            try await client.subscribe(name)
            await broker.reload([TestBroker.application { _, _, limits in limits.channelName = 100 }])
            try await client.send(#"{"event":"pusher:unsubscribe","data":{"channel":"\#(name)"}}"#)
            try await client.expectNothingMore()
        }
    }

    @Test("P90: a new rate of client events holds for clients that have been busy", arguments: [(100, 10), (5, 20)])
    func rate(before: Int, after: Int) async throws {
        @Sendable func application(_ limit: Int) -> Application {
            TestBroker.application { _, rates, _ in rates.clientEventsPerConnection = limit }
        }
        try await TestBroker.run(application: application(before)) { broker in
            let client = try await broker.client()
            try await client.subscribe("private-ops")
            let message = #"{"event":"client-a","channel":"private-ops","data":""}"#
            // In one packet, and far more than may pass.
            try await client.raw.send((0..<before * 3).flatMap { _ in clientFrame(0x81, Array(message.utf8)) })
            try await client.send(#"{"event":"pusher:ping"}"#)
            var event = try await client.next()
            #expect(event.data?.contains("4301") == true)
            while event.event != "pusher:pong" { event = try await client.next() }
            await broker.reload([application(after)])
            for _ in 0..<after { try await client.send(message) }
            try await client.expectNothingMore()
        }
    }

    @Test("An app that was taken out does not hand its cached events to another of the same id")
    func removedCache() async throws {
        try await TestBroker.run { broker in
            try await broker.trigger(#"{"name":"old","channel":"cache-a","data":"secret"}"#)
            await broker.reload([])
            let tenant = AppCredentials(id: "4711", key: "new-key", secret: AppSecret("new-secret"))
            await broker.reload([Application(credentials: tenant)])
            let client = try await broker.client(key: "new-key")
            try await client.subscribe("cache-a")
            #expect(try await client.next().event == "pusher:cache_miss")
        }
    }
}
