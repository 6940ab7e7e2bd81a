import BrokerCore
import PusherProtocol
import Testing

@Suite("Cache channels")
struct CacheTests {
    private static let channels = ["cache-a", "private-cache-a", "private-encrypted-cache-a", "presence-cache-a"]

    private static func channelData(_ channel: String) -> String? {
        channel.hasPrefix("presence-") ? #"{"user_id":"ada"}"# : nil
    }

    @Test("P109: who joins an empty cache channel gets the confirmation and then a miss", arguments: Self.channels)
    func miss(channel: String) async throws {
        try await TestBroker.run { broker in
            let client = try await broker.client()
            let confirmation = try await client.subscribe(channel, channelData: Self.channelData(channel))
            #expect(confirmation.event == "pusher_internal:subscription_succeeded" && confirmation.channel == channel)
            let miss = try await client.next()
            #expect(miss.event == "pusher:cache_miss" && miss.channel == channel)
            try await client.expectNothingMore()
        }
    }

    @Test(
        "P110–P112, P114: a newcomer gets the last published event, byte for byte; the others hear nothing of it",
        arguments: Self.channels)
    func hit(channel: String) async throws {
        try await TestBroker.run { broker in
            // Published while nobody is there.
            try await broker.trigger(#"{"name":"old","channel":"\#(channel)","data":"1"}"#)
            try await broker.trigger(#"{"name":"n\u00e9w","channel":"\#(channel)","data":"{\"id\": 42}\u2028"}"#)
            let first = try await broker.client()
            try await first.subscribe(channel, channelData: Self.channelData(channel))
            let cached = try await first.nextFrame()
            #expect(
                cached == .text(#"{"event":"n\u00e9w","channel":"\#(channel)","data":"{\"id\": 42}\u2028"}"#))
            let second = try await broker.client()
            try await second.subscribe(channel, channelData: Self.channelData(channel))
            #expect(try await second.nextFrame() == cached)
            try await second.expectNothingMore()
            try await first.expectNothingMore()
            // Who subscribes twice is no newcomer: what is on its way comes once.
            let again = try await first.subscribe(channel, channelData: Self.channelData(channel))
            #expect(again.event == "pusher_internal:subscription_succeeded")
            try await broker.trigger(#"{"name":"live","channel":"\#(channel)","data":"3"}"#)
            #expect(try await first.nextFrame() == second.nextFrame())
        }
    }

    @Test("P94: a client event is not cached")
    func clientEvent() async throws {
        try await TestBroker.run { broker in
            let (sender, receiver) = (try await broker.client(), try await broker.client())
            try await broker.trigger(#"{"name":"kept","channel":"private-cache-a","data":""}"#)
            for client in [sender, receiver] {
                try await client.subscribe("private-cache-a")
                #expect(try await client.next().event == "kept")
            }
            try await sender.send(#"{"event":"client-a","channel":"private-cache-a","data":"passing"}"#)
            #expect(try await receiver.next().event == "client-a")
            let late = try await broker.client()
            try await late.subscribe("private-cache-a")
            #expect(try await late.next().event == "kept")
        }
    }

    @Test("6.1: the connection that an event excludes gets it from the cache")
    func exclusion() async throws {
        try await TestBroker.run { broker in
            let client = try await broker.client()
            let socketID = await client.socketID
            try await broker.trigger(
                #"{"name":"n","channel":"cache-a","data":"","socket_id":"\#(socketID)"}"#)
            try await client.subscribe("cache-a")
            #expect(try await client.next().event == "n")
        }
    }

    @Test("P113: an event whose time is over is a miss")
    func expiry() async throws {
        let application = TestBroker.application { _, _, limits in limits.cacheSeconds = 0 }
        try await TestBroker.run(application: application) { broker in
            try await broker.trigger(#"{"name":"n","channel":"cache-a","data":""}"#)
            let client = try await broker.client()
            try await client.subscribe("cache-a")
            #expect(try await client.next().event == "pusher:cache_miss")
        }
    }
}
