import Broker
import BrokerCore
import PusherProtocol
import Synchronization
import Testing

/// Keeps what it is told.
private final class RecordingSink: WebhookSink {
    private let events = Mutex<[WebhookEvent]>([])

    func put(_ event: WebhookEvent, app: String) {
        self.events.withLock { $0.append(event) }
    }

    /// What was told, in the form of a webhook's body.
    var told: [String] { self.events.withLock { $0.map { String(decoding: $0.json, as: UTF8.self) } } }
}

@Suite("Webhook events")
struct WebhookEventTests {
    /// Runs a broker whose app wants these kinds of events told, and returns what was.
    private func told(
        _ kinds: Set<WebhookEvent.Kind> = Set(WebhookEvent.Kind.allCases),
        _ body: @escaping @Sendable (TestBroker) async throws -> Void
    ) async throws -> [String] {
        let sink = RecordingSink()
        var features = Application.Features()
        features.subscriptionCounts = kinds.contains(.subscriptionCount)
        let application = Application(
            credentials: TestBroker.credentials, features: features, webhookEvents: kinds)
        try await TestBroker.run(application: application, configure: { $0.webhooks = sink }, body)
        return sink.told
    }

    @Test("P151–P153: first and last subscription, first and last connection of a user, in order")
    func presence() async throws {
        let told = try await self.told([.channelOccupied, .channelVacated, .memberAdded, .memberRemoved]) { broker in
            let (first, second) = (try await broker.client(), try await broker.client())
            for client in [first, second] {
                try await client.subscribe("presence-ops", channelData: #"{"user_id":17}"#)
            }
            for client in [first, second] {
                try await client.send(#"{"event":"pusher:unsubscribe","data":{"channel":"presence-ops"}}"#)
                try await client.expectNothingMore()
            }
        }
        #expect(
            told == [
                #"{"name":"channel_occupied","channel":"presence-ops"}"#,
                #"{"name":"member_added","channel":"presence-ops","user_id":"17"}"#,
                #"{"name":"member_removed","channel":"presence-ops","user_id":"17"}"#,
                #"{"name":"channel_vacated","channel":"presence-ops"}"#,
            ])
    }

    @Test("P154: a client event with its data as a string, its sender, and the user on presence channels")
    func clientEvent() async throws {
        let told = try await self.told([.clientEvent]) { broker in
            let client = try await broker.client()
            try await client.subscribe("private-ops")
            try await client.send(#"{"event":"client-a","channel":"private-ops","data":{"on":true}}"#)
            try await client.subscribe("presence-ops", channelData: #"{"user_id":"ada"}"#)
            try await client.send(#"{"event":"client-b","channel":"presence-ops","data":"text"}"#)
            try await client.send(#"{"event":"client-c","channel":"orders","data":"refused"}"#)
            #expect(try await client.next().event == "pusher:error")
        }
        #expect(told.count == 2)
        #expect(told.first?.hasPrefix(#"{"name":"client_event","channel":"private-ops","event":"client-a","#) == true)
        #expect(told.first?.contains(#""data":"{\"on\":true}","socket_id":""#) == true)
        #expect(told.first?.contains("user_id") == false)
        #expect(told.last?.contains(#""data":"text","socket_id":""#) == true)
        #expect(told.last?.hasSuffix(#""user_id":"ada"}"#) == true)
    }

    @Test("P155: several misses in a row are told once, until an event was cached and lost again")
    func cacheMiss() async throws {
        let told = try await self.told([.cacheMiss]) { broker in
            for _ in 0..<3 {
                let client = try await broker.client()
                try await client.subscribe("cache-a")
                #expect(try await client.next().event == "pusher:cache_miss")
                try await client.send(#"{"event":"pusher:unsubscribe","data":{"channel":"cache-a"}}"#)
                try await client.expectNothingMore()
            }
        }
        #expect(told == [#"{"name":"cache_miss","channel":"cache-a"}"#])
    }

    @Test("9.2: counts are told as integers, 0 included")
    func counts() async throws {
        let told = try await self.told([.subscriptionCount]) { broker in
            let client = try await broker.client()
            try await client.subscribe("orders")
            try await client.send(#"{"event":"pusher:unsubscribe","data":{"channel":"orders"}}"#)
            _ = try await client.next()
            try await client.expectNothingMore()
        }
        #expect(
            told == [
                #"{"name":"subscription_count","channel":"orders","subscription_count":1}"#,
                #"{"name":"subscription_count","channel":"orders","subscription_count":0}"#,
            ])
    }

    @Test("P158: nothing is told of users' own channels, and nothing that nobody asked for")
    func users() async throws {
        let told = try await self.told { broker in
            let client = try await broker.client()
            try await client.signIn(#"{"id":"ada","watchlist":["bob"]}"#)
            try await client.subscribe("#server-to-user-ada")
        }
        #expect(told == [])
        let untold = try await self.told([]) { broker in
            let client = try await broker.client()
            try await client.subscribe("cache-a")
            #expect(try await client.next().event == "pusher:cache_miss")
        }
        #expect(untold == [])
    }
}
