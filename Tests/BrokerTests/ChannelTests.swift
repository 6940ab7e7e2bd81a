import BrokerCore
import PusherProtocol
import Testing

@Suite("Channels")
struct ChannelTests {
    @Test("P38–P40, P45: a public channel confirms, delivers, and falls silent after unsubscribe")
    func publicChannel() async throws {
        try await TestBroker.run { broker in
            let client = try await broker.client()
            for index in 0..<10 {
                try await client.send(#"{"event":"pusher:subscribe","data":{"auth":"","channel":"orders-\#(index)"}}"#)
            }
            for index in 0..<10 {
                let event = try await client.next()
                #expect(event.event == "pusher_internal:subscription_succeeded")
                #expect(event.channel == "orders-\(index)" && event.data == "{}" && event.hasStringData)
            }
            try await broker.trigger(#"{"name":"order.shipped","channels":["orders-3"],"data":"{\"id\":42}"}"#)
            let event = try await client.next()
            #expect(event.event == "order.shipped" && event.channel == "orders-3" && event.data == #"{"id":42}"#)

            try await client.send(#"{"event":"pusher:unsubscribe","data":{"channel":"orders-3"}}"#)
            try await client.expectNothingMore()
            try await broker.trigger(#"{"name":"n","channels":["orders-3"],"data":"gone"}"#)
            try await broker.trigger(#"{"name":"n","channels":["orders-4"],"data":"marker"}"#)
            #expect(try await client.next().data == "marker")
        }
    }

    @Test("P43, P48: names are compared exactly, and a prefix counts only with its hyphen")
    func plainNames() async throws {
        try await TestBroker.run { broker in
            let client = try await broker.client()
            for name in ["Orders", "cacheable", "my-cache-x", "privateer", "presences"] {
                #expect(try await client.subscribe(name).event == "pusher_internal:subscription_succeeded")
            }
            try await broker.trigger(#"{"name":"n","channels":["orders"],"data":"other case"}"#)
            try await broker.trigger(#"{"name":"n","channels":["Orders"],"data":"marker"}"#)
            #expect(try await client.next().data == "marker")
        }
    }

    @Test(
        "P34, P41, P42, P44: a bad channel name is an error, and the connection stays",
        arguments: ["a b", "a/b", "a:b", "ä", "", "#server-to-user-x", "#x", String(repeating: "a", count: 165)])
    func badNames(name: String) async throws {
        try await TestBroker.run { broker in
            let client = try await broker.client()
            #expect(try await client.subscribe(name).event == "pusher:error")
            #expect(try await client.next().event == "pusher:subscription_error")
            #expect(
                try await client.subscribe(String(repeating: "a", count: 164)).event
                    == "pusher_internal:subscription_succeeded")
        }
    }

    @Test("P46, P47: unsubscribing what was not joined is an error; joining twice confirms twice and delivers once")
    func oddities() async throws {
        try await TestBroker.run { broker in
            let client = try await broker.client()
            try await client.send(#"{"event":"pusher:unsubscribe","data":{"channel":"orders"}}"#)
            #expect(try await client.next().event == "pusher:error")
            try await client.subscribe("orders")
            #expect(try await client.subscribe("orders").event == "pusher_internal:subscription_succeeded")
            try await broker.trigger(#"{"name":"n","channels":["orders"],"data":"1"}"#)
            #expect(try await client.next().data == "1")
            try await client.expectNothingMore()
        }
    }

    @Test("P49–P56: a private channel wants the app's signature of this socket and this channel")
    func privateChannel() async throws {
        try await TestBroker.run { broker in
            let client = try await broker.client()
            let other = try await broker.client()
            let good = try await client.subscription("private-ops")
            let key = TestBroker.credentials.key
            let wrong = [
                try await client.subscription(
                    "private-ops", credentials: AppCredentials(id: "1", key: key, secret: AppSecret("other"))),
                try await other.subscription("private-ops"),
                try await client.subscription("private-other").replacing("private-other", with: "private-ops"),
                good.replacing(key, with: "0000000000000000000"),
                good.replacing("\(key):", with: ""),
                #"{"event":"pusher:subscribe","data":{"channel":"private-ops"}}"#,
                #"{"event":"pusher:subscribe","data":{"channel":"private-ops","auth":""}}"#,
            ]
            for message in wrong {
                try await client.send(message)
                let error = try await client.next()
                #expect(error.event == "pusher:error" && error.data?.contains("\"code\":null") == true)
                let refusal = try await client.next()
                #expect(refusal.event == "pusher:subscription_error" && refusal.channel == "private-ops")
                #expect(refusal.data?.contains(#""type":"AuthError""#) == true)
                #expect(refusal.data?.contains(#""status":401"#) == true)
            }
            try await broker.trigger(#"{"name":"n","channels":["private-ops"],"data":"too early"}"#)
            try await client.send(good)
            #expect(try await client.next().event == "pusher_internal:subscription_succeeded")
            try await broker.trigger(#"{"name":"n","channels":["private-ops"],"data":"marker"}"#)
            #expect(try await client.next().data == "marker")
        }
    }

    @Test("P58, P59: an encrypted channel is a private one, and its payload travels byte for byte")
    func encrypted() async throws {
        try await TestBroker.run { broker in
            let client = try await broker.client()
            try await client.subscribe("private-encrypted-ops")
            let data = #"{\"nonce\":\"GBkaGxwd\",\"ciphertext\":\"erz59ScT\/\u002b\"}"#
            try await broker.trigger(#"{"name":"n","channels":["private-encrypted-ops"],"data":"\#(data)"}"#)
            guard case .text(let text) = try await client.nextFrame() else { return }
            #expect(text == #"{"event":"n","channel":"private-encrypted-ops","data":"\#(data)"}"#)
        }
    }

    @Test("P127, P128: the named socket is left out, on every channel and only that one; a malformed one is refused")
    func exclusion() async throws {
        try await TestBroker.run { broker in
            let (a, b) = (try await broker.client(), try await broker.client())
            for client in [a, b] {
                try await client.subscribe("x")
                try await client.subscribe("y")
            }
            let socketID = await a.socketID
            try await broker.trigger(
                #"{"name":"n","channels":["x","y"],"data":"others","socket_id":"\#(socketID)"}"#)
            try await broker.trigger(#"{"name":"n","channel":"x","data":"all","socket_id":"1.99999999999"}"#)
            #expect(try await a.next().data == "all")
            #expect(try await b.next().data == "others")
            #expect(try await b.next().data == "others")
            #expect(try await b.next().data == "all")
            let answer = try await broker.trigger(#"{"name":"n","channel":"x","data":"","socket_id":"1.2.3"}"#)
            #expect(answer.status == 400)
        }
    }

    @Test(
        "P139: what one publisher sends in a row arrives in that order, over channels and loops", arguments: [1, 2, 3])
    func order(loops: Int) async throws {
        try await TestBroker.run(loops: loops) { broker in
            let clients = [try await broker.client(), try await broker.client(), try await broker.client()]
            for client in clients {
                try await client.subscribe("x")
                try await client.subscribe("y")
            }
            // Pipelined: far more than one batch of the fan-out, on alternating channels.
            let requests = (0..<500).map { index in
                signedRequest(
                    "POST", "/apps/4711/events",
                    body: #"{"name":"n","channel":"\#(index % 3 == 0 ? "x" : "y")","data":"\#(index)"}"#)
            }
            let http = try await broker.raw()
            try await http.send(requests.joined())
            for _ in requests { #expect(try await http.answer().status == 200) }
            for client in clients {
                for index in 0..<500 { #expect(try await client.next().data == "\(index)") }
                try await client.expectNothingMore()
            }
        }
    }
}

@Suite("Limit of channels of a connection")
struct ChannelLimitTests {
    @Test(
        "2.4: a channel too many is refused on the connection and on the channel; what was there stays, and so do others"
    )
    func limit() async throws {
        let application = TestBroker.application { _, _, limits in limits.channelsPerConnection = 2 }
        try await TestBroker.run(application: application) { broker in
            let (greedy, neighbour) = (try await broker.client(), try await broker.client())
            for channel in ["a", "b"] { try await greedy.subscribe(channel) }
            let refusal = try await greedy.subscribe("c")
            #expect(refusal.event == "pusher:error" && refusal.data?.contains("subscribed to 2 channels") == true)
            let onChannel = try await greedy.next()
            #expect(onChannel.event == "pusher:subscription_error" && onChannel.channel == "c")
            #expect(onChannel.data?.contains("LimitReached") == true)
            for channel in ["a", "c"] { try await neighbour.subscribe(channel) }
            try await broker.trigger(#"{"name":"n","channels":["a","c"],"data":"x"}"#)
            #expect(try await greedy.next().channel == "a")
            try await greedy.expectNothingMore()
            #expect(Set([try await neighbour.next().channel, try await neighbour.next().channel]) == ["a", "c"])
            // Room is made by leaving.
            try await greedy.send(#"{"event":"pusher:unsubscribe","data":{"channel":"b"}}"#)
            #expect(try await greedy.subscribe("c").event == "pusher_internal:subscription_succeeded")
        }
    }
}
