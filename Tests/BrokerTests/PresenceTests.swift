import Broker
import BrokerCore
import PusherProtocol
import Testing

@Suite("Presence channels")
struct PresenceTests {
    private static let ada = #"{"user_id":"ada","user_info":{"name":"Ada"}}"#
    private static let bob = #"{"user_id":"bob"}"#

    @Test("P61–P70: members are announced once a user, to the others only, and their leaving too")
    func members() async throws {
        try await TestBroker.run { broker in
            let first = try await broker.client()
            let joined = try await first.subscribe("presence-ops", channelData: Self.ada)
            #expect(joined.event == "pusher_internal:subscription_succeeded" && joined.hasStringData)
            #expect(joined.data == #"{"presence":{"ids":["ada"],"hash":{"ada":{"name":"Ada"}},"count":1}}"#)

            let second = try await broker.client()
            let list = try await second.subscribe("presence-ops", channelData: Self.bob)
            #expect(
                list.data
                    == #"{"presence":{"ids":["ada","bob"],"hash":{"ada":{"name":"Ada"},"bob":null},"count":2}}"#)
            let added = try await first.next()
            #expect(added.event == "pusher_internal:member_added" && added.hasStringData)
            #expect(added.data == #"{"user_id":"bob","user_info":null}"#)

            // A second connection of Bob, and one of two leaving: nobody hears of it.
            let third = try await broker.client()
            let again = try await third.subscribe("presence-ops", channelData: Self.bob)
            #expect(again.data == list.data)
            third.raw.cut()
            try await broker.awaitSubscriptions(2, to: "presence-ops")
            try await first.expectNothingMore()

            try await second.send(#"{"event":"pusher:unsubscribe","data":{"channel":"presence-ops"}}"#)
            try await second.expectNothingMore()
            let removed = try await first.next()
            #expect(removed.event == "pusher_internal:member_removed" && removed.data == #"{"user_id":"bob"}"#)
        }
    }

    @Test("P69: a connection that breaks takes its member away")
    func abruptEnd() async throws {
        try await TestBroker.run { broker in
            let (first, second) = (try await broker.client(), try await broker.client())
            try await first.subscribe("presence-ops", channelData: Self.ada)
            try await second.subscribe("presence-ops", channelData: Self.bob)
            #expect(try await first.next().event == "pusher_internal:member_added")
            second.raw.cut()
            #expect(try await first.next().event == "pusher_internal:member_removed")
        }
    }

    @Test("P71, P147: a numeric user id is its text everywhere")
    func numericID() async throws {
        try await TestBroker.run { broker in
            let client = try await broker.client()
            let joined = try await client.subscribe(
                "presence-ops", channelData: #"{"user_id": 17, "user_info": {"name": "Ada"}}"#)
            #expect(joined.data == #"{"presence":{"ids":["17"],"hash":{"17":{"name": "Ada"}},"count":1}}"#)
            let http = try await broker.raw()
            #expect(
                try await http.call("GET", "/apps/4711/channels/presence-ops/users").body
                    == #"{"users":[{"id":"17"}]}"#)
            #expect(
                try await http.call("GET", "/apps/4711/channels/presence-empty/users").body == #"{"users":[]}"#)
            #expect(try await http.call("GET", "/apps/4711/channels/orders/users").status == 400)
        }
    }

    @Test(
        "P74–P76: channel_data that is missing, no JSON, without an id or too large is refused",
        arguments: [
            nil, "no JSON", "{}", #"{"user_id":""}"#, #"{"user_id":{}}"#,
            #"{"user_id":"\#(String(repeating: "a", count: 129))"}"#,
            #"{"user_id":"a","user_info":"\#(String(repeating: "a", count: 1024))"}"#,
        ])
    func badData(channelData: String?) async throws {
        try await TestBroker.run { broker in
            let client = try await broker.client()
            #expect(try await client.subscribe("presence-ops", channelData: channelData).event == "pusher:error")
            #expect(try await client.next().event == "pusher:subscription_error")
            try await client.expectNothingMore()
        }
    }

    @Test("P77: a full channel refuses another user, but not another connection of a member")
    func full() async throws {
        try await TestBroker.run(
            application: TestBroker.application { _, _, limits in limits.presenceMembers = 1 }
        ) { broker in
            let (first, second) = (try await broker.client(), try await broker.client())
            try await first.subscribe("presence-ops", channelData: Self.ada)
            #expect(try await second.subscribe("presence-ops", channelData: Self.bob).event == "pusher:error")
            let refusal = try await second.next()
            #expect(refusal.data?.contains(#""type":"LimitReached""#) == true)
            #expect(
                try await second.subscribe("presence-ops", channelData: Self.ada).event
                    == "pusher_internal:subscription_succeeded")
        }
    }
}

extension TestBroker {
    /// Waits until a channel has so many subscriptions, as the HTTP API tells.
    func awaitSubscriptions(_ count: Int, to channel: String) async throws {
        let http = try await self.raw()
        defer { http.cut() }
        let wanted = "\"subscription_count\":\(count)}"
        while try await !http.call("GET", "/apps/4711/channels/\(channel)", query: "info=subscription_count")
            .body.hasSuffix(wanted)
        {}
    }
}
