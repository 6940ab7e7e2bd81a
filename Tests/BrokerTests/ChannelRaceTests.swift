import BrokerCore
import PusherProtocol
import Testing

/// What the channel tables promise about order, while several loops and many clients are at it.
@Suite("Channels under contention")
struct ChannelRaceTests {
    private static let rounds = 40

    @Test("P78, P110: a cached answer and the live events join without gap or repetition", .timeLimit(.minutes(3)))
    func cache() async throws {
        try await TestBroker.run(loops: 4) { broker in
            try await broker.trigger(#"{"name":"n","channel":"cache-a","data":"1"}"#)
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    let http = try await broker.raw()
                    for number in 2...800 {
                        _ = try await http.call(
                            "POST", "/apps/4711/events", body: #"{"name":"n","channel":"cache-a","data":"\#(number)"}"#)
                    }
                }
                for _ in 0..<6 {
                    group.addTask {
                        let client = try await broker.client()
                        for _ in 0..<Self.rounds { try await self.comeAndGo(client) }
                    }
                }
                try await group.waitForAll()
            }
        }
    }

    @Test("P78, P110: so they do when a delivery takes the loop several turns", .timeLimit(.minutes(3)))
    func crowd() async throws {
        try await TestBroker.run(loops: 1) { broker in
            var crowd: [PusherTestClient] = []
            for _ in 0..<400 {
                let client = try await broker.client()
                _ = try await client.subscribe("cache-a")
                crowd.append(client)
            }
            try await broker.trigger(#"{"name":"n","channel":"cache-a","data":"1"}"#)
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    let http = try await broker.raw()
                    for number in 2...150 {
                        _ = try await http.call(
                            "POST", "/apps/4711/events", body: #"{"name":"n","channel":"cache-a","data":"\#(number)"}"#)
                    }
                }
                for _ in 0..<6 {
                    group.addTask {
                        let client = try await broker.client()
                        for _ in 0..<Self.rounds { try await self.comeAndGo(client) }
                    }
                }
                try await group.waitForAll()
            }
            // Who was there all the time got everything, once and in order.
            for client in [crowd[0], crowd[399]] {
                #expect(try await client.next().event == "pusher:cache_miss")
                for number in 1...150 { #expect(try await client.next().data == "\(number)") }
            }
        }
    }

    /// Subscribes for a while; what comes is the confirmation, and then numbers without a gap.
    private func comeAndGo(_ client: PusherTestClient) async throws {
        try await client.send(#"{"event":"pusher:subscribe","data":{"channel":"cache-a"}}"#)
        for _ in 0..<3 { try await client.send(#"{"event":"pusher:ping"}"#) }
        try await client.send(#"{"event":"pusher:unsubscribe","data":{"channel":"cache-a"}}"#)
        try await client.send(#"{"event":"pusher:ping"}"#)
        #expect(try await client.next().event == "pusher_internal:subscription_succeeded")
        var (pongs, last) = (0, 0)
        while pongs < 4 {
            let event = try await client.next()
            if event.event == "pusher:pong" {
                pongs += 1
            } else {
                let number = try #require(event.data.flatMap { Int($0) })
                #expect(last == 0 || number == last + 1)
                last = number
            }
        }
        #expect(last > 0)
    }

    @Test("P106, P107: watchers see online and offline in turn, from the state they were told", .timeLimit(.minutes(3)))
    func watchlist() async throws {
        let application = TestBroker.application { features, _, _ in features.watchlist = true }
        try await TestBroker.run(application: application, loops: 4) { broker in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<2 {
                    group.addTask {
                        for _ in 0..<100 {
                            let bob = try await broker.client()
                            try await bob.signIn(#"{"id":"bob"}"#)
                            bob.raw.cut()
                        }
                    }
                }
                for watcher in 0..<6 {
                    group.addTask { try await self.watch(broker, watcher: "w\(watcher)") }
                }
                try await group.waitForAll()
            }
        }
    }

    /// Signs in again and again with another list that names Bob; behind each success comes his state, and then only
    /// changes of it.
    private func watch(_ broker: TestBroker, watcher: String) async throws {
        let client = try await broker.client()
        for round in 0..<Self.rounds {
            let userData = #"{"id":"\#(watcher)","watchlist":["bob","nobody-\#(round)"]}"#
            try await client.sendSignIn(userData)
            for _ in 0..<3 { try await client.send(#"{"event":"pusher:ping"}"#) }
            var (pongs, isToldNext, isOnline) = (0, false, Bool?.none)
            while pongs < 3 {
                let event = try await client.next()
                switch event.event {
                case "pusher:pong": pongs += 1
                case "pusher:signin_success": isToldNext = true
                default:
                    let now = event.data?.contains(#""online","user_ids":["bob"]"#) == true
                    #expect(isToldNext || isOnline == nil || isOnline == !now)
                    isToldNext = false
                    isOnline = now
                }
            }
            #expect(isOnline != nil)
        }
    }
}
