import BrokerCore
import PusherProtocol
import Testing

@Suite("Subscription counts")
struct SubscriptionCountTests {
    private static var counting: Application {
        TestBroker.application { features, _, _ in features.subscriptionCounts = true }
    }

    @Test("P115: each subscribe and unsubscribe tells the subscribers how many they are; not on presence channels")
    func counts() async throws {
        try await TestBroker.run(application: Self.counting) { broker in
            let first = try await broker.client()
            try await first.subscribe("orders")
            let alone = try await first.next()
            #expect(alone.event == "pusher_internal:subscription_count" && alone.channel == "orders")
            #expect(alone.hasStringData && alone.data == #"{"subscription_count":1}"#)
            let second = try await broker.client()
            #expect(try await second.subscribe("orders").event == "pusher_internal:subscription_succeeded")
            #expect(try await second.next().data == #"{"subscription_count":2}"#)
            #expect(try await first.next().data == #"{"subscription_count":2}"#)
            try await second.send(#"{"event":"pusher:unsubscribe","data":{"channel":"orders"}}"#)
            #expect(try await first.next().data == #"{"subscription_count":1}"#)
            try await first.subscribe("presence-ops", channelData: #"{"user_id":"ada"}"#)
            try await first.signIn(#"{"id":"ada"}"#)
            try await first.expectNothingMore()
        }
    }

    @Test("P115: an app that did not ask for it is not told")
    func optIn() async throws {
        try await TestBroker.run { broker in
            let client = try await broker.client()
            try await client.subscribe("orders")
            try await client.expectNothingMore()
        }
    }

    @Test("6.2: a crowd is told later, once for all changes", .timeLimit(.minutes(3)))
    func crowd() async throws {
        try await TestBroker.run(application: Self.counting) { broker in
            let witness = try await broker.client()
            try await witness.subscribe("orders")
            #expect(try await witness.next().data == #"{"subscription_count":1}"#)
            var others: [PusherTestClient] = []
            for _ in 2...104 { others.append(try await broker.client()) }
            for (count, client) in zip(2..., others) {
                try await client.send(client.subscription("orders"))
                if count <= 100 {
                    #expect(try await witness.next().data == #"{"subscription_count":\#(count)}"#)
                }
            }
            // The 101st to 104th came within five seconds of the last count: one frame tells of all.
            #expect(try await witness.next().data == #"{"subscription_count":104}"#)
        }
    }
}
