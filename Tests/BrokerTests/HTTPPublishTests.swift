import Broker
import BrokerCore
import PusherProtocol
import Testing

@Suite("HTTP API: publishing")
struct HTTPPublishTests {
    private static func list(_ element: String, _ count: Int) -> String {
        Array(repeating: element, count: count).joined(separator: ",")
    }

    @Test(
        "P125, P128–P134: bodies are checked, and the answer names what is wrong",
        arguments: [
            (#"{"name":"n","channels":["a","b"],"data":""}"#, 200),
            (#"{"name":"n","channel":"a","data":""}"#, 200),
            (#"{"name":"n","channels":[],"data":""}"#, 400),
            (#"{"name":"n","data":""}"#, 400),
            (#"{"name":"n","channel":"c"}"#, 400),
            (#"{"channel":"c","data":""}"#, 400),
            (#"{"name":"n","channel":"a b","data":""}"#, 400),
            (#"{"name":"pusher:x","channel":"c","data":""}"#, 400),
            (#"{"name":"pusher_internal:member_added","channel":"c","data":""}"#, 400),
            (#"{"name":"n","channel":"c","data":{}}"#, 400),
            ("{", 400), ("", 400), ("[]", 400), ("\u{1}", 400),
            (#"{"name":"n","channel":"c","data":"","socket_id":"999.999"}"#, 200),
            (#"{"name":"n","channel":"c","data":"","socket_id":"x"}"#, 400),
            (#"{"name":"\#(String(repeating: "é", count: 200))","channel":"c","data":""}"#, 200),
            (#"{"name":"\#(String(repeating: "é", count: 201))","channel":"c","data":""}"#, 400),
            (#"{"name":"n","channel":"c","data":"\#(String(repeating: "é", count: 5120))"}"#, 200),
            (#"{"name":"n","channel":"c","data":"\#(String(repeating: "é", count: 5121))"}"#, 413),
            (#"{"name":"n","channel":"c","data":"\#(String(repeating: "\\u00e9", count: 5120))"}"#, 200),
            (#"{"name":"n","channels":[\#(list("\"c\"", 100))],"data":""}"#, 200),
            (#"{"name":"n","channels":[\#(list("\"c\"", 101))],"data":""}"#, 400),
        ])
    func bodies(body: String, status: Int) async throws {
        try await TestBroker.run { broker in
            let answer = try await broker.trigger(body)
            #expect(answer.status == status)
            #expect(
                answer.fields["content-type"]
                    == (status == 200 ? "application/json" : "text/plain; charset=utf-8"))
            #expect((answer.body == "{}") == (status == 200))
        }
    }

    @Test("P126, P133: what is delivered is the published string in a frame of three members")
    func delivered() async throws {
        try await TestBroker.run { broker in
            let client = try await broker.client()
            try await client.subscribe("orders")
            for data in [#""""#, #""{\"id\":42}""#, #""\u00e9\/é""#, #""\ud800""#] {
                try await broker.trigger(#"{"data":\#(data),"name":"n\"","channel":"orders"}"#)
                #expect(
                    try await client.nextFrame() == .text(#"{"event":"n\"","channel":"orders","data":\#(data)}"#))
            }
        }
    }

    @Test("P127: socket_id leaves that connection out on every channel, and nobody else")
    func excluded() async throws {
        try await TestBroker.run { broker in
            let (left, right) = (try await broker.client(), try await broker.client())
            for client in [left, right] {
                for channel in ["a", "b"] { try await client.subscribe(channel) }
            }
            let socketID = await left.socketID
            try await broker.trigger(
                #"{"name":"n","channels":["a","b"],"data":"","socket_id":"\#(socketID)"}"#)
            #expect(try await right.next().channel == "a")
            #expect(try await right.next().channel == "b")
            try await left.expectNothingMore()
        }
    }

    @Test("P135, P136: a channel named twice delivers once; info answers what applies to each channel")
    func info() async throws {
        try await TestBroker.run { broker in
            let client = try await broker.client()
            try await client.subscribe("orders")
            try await client.subscribe("presence-ops", channelData: #"{"user_id":"ada"}"#)
            let answer = try await broker.trigger(
                #"{"name":"n","channels":["orders","presence-ops","orders","private-x"],"data":"1","info":"user_count,subscription_count,cache,x"}"#
            )
            #expect(
                answer.body
                    == #"{"channels":{"orders":{"subscription_count":1},"presence-ops":{"user_count":1,"subscription_count":1},"private-x":{"subscription_count":0}}}"#
            )
            #expect(try await client.next().channel == "orders")
            #expect(try await client.next().channel == "presence-ops")
            try await client.expectNothingMore()
            let unknown = try await broker.trigger(#"{"name":"n","channel":"x","data":"1","info":"cache"}"#)
            #expect(unknown.status == 200 && unknown.body == "{}")
        }
    }

    @Test("P137, P138: a batch is published whole or not at all, and answers info by position")
    func batch() async throws {
        try await TestBroker.run { broker in
            let client = try await broker.client()
            try await client.subscribe("orders")
            func tick(_ data: Int) -> String { #"{"channel":"orders","name":"tick","data":"\#(data)"}"# }
            #expect(try await broker.batch((0..<10).map(tick)).body == "{}")
            for index in 0..<10 { #expect(try await client.next().data == "\(index)") }
            #expect(try await broker.batch((0..<11).map(tick)).status == 400)
            for bad in [
                #"{"channel":"a b","name":"tick","data":""}"#, tick(1).replacing("tick", with: "pusher:x"),
                #"{"channel":"orders","name":"tick"}"#, "[]",
            ] {
                let answer = try await broker.batch([tick(0), bad])
                #expect(answer.status == 400 && answer.body.hasPrefix("batch[1]: "))
            }
            try await client.expectNothingMore()
            #expect(try await broker.batch([]).body == "{}")
            let answer = try await broker.batch([
                tick(0), tick(1).replacing("}", with: #","info":"subscription_count"}"#),
            ])
            #expect(answer.body == #"{"batch":[{},{"subscription_count":1}]}"#)
        }
    }

    @Test("P139: events published one after another arrive in that order, also when they are pipelined")
    func order() async throws {
        try await TestBroker.run { broker in
            let clients = [try await broker.client(), try await broker.client()]
            for client in clients { try await client.subscribe("orders") }
            let http = try await broker.raw()
            let requests = (0..<100).map { index in
                let body = #"{"name":"n","channel":"orders","data":"\#(index)"}"#
                return signedRequest("POST", "/apps/4711/events", body: body)
            }
            try await http.send(requests.joined())
            for _ in requests { #expect(try await http.answer().status == 200) }
            for client in clients {
                for index in requests.indices { #expect(try await client.next().data == "\(index)") }
            }
        }
    }

    @Test(
        "8.1: what the body does not have may stand in the query, also without a body",
        arguments: [
            ("name=n&data=d%20%22&channel=a,b", ""), ("name=n&data=d%20%22&channels[]=a,b", ""),
            ("name=n&channels%5B0%5D=a,b&channels[1]=x", #"{"data":"d \""}"#),
            ("name=x&channels[]=x&data=x", #"{"name":"n","channel":"a,b","data":"d \""}"#),
        ])
    func queryParameters(query: String, body: String) async throws {
        try await TestBroker.run { broker in
            let (client, left) = (try await broker.client(), try await broker.client())
            try await client.subscribe("a,b")
            try await left.subscribe("a,b")
            let socketID = await left.socketID
            let answer = try await broker.raw().post(
                "events", query + "&socket_id=\(socketID)&info=subscription_count", body: body)
            #expect(answer.status == 200 && answer.body.contains(#""a,b":{"subscription_count":2}"#))
            #expect(
                try await client.nextFrame() == .text(#"{"event":"n","channel":"a,b","data":"d \""}"#))
            try await left.expectNothingMore()
        }
    }

    @Test("8.1: parameters in the query are signed like all others")
    func signedParameters() async throws {
        try await TestBroker.run { broker in
            let http = try await broker.raw()
            let request = signedRequest("POST", "/apps/4711/events", query: "name=n&data=d&channel=a")
            try await http.send(request.replacing("data=d", with: "data=e"))
            #expect(try await http.answer().status == 401)
            try await http.send(request)
            #expect(try await http.answer().status == 200)
        }
    }

    @Test("8.11: the deprecated trigger publishes its body, and answers 202 with nothing")
    func deprecated() async throws {
        try await TestBroker.run { broker in
            let (client, left) = (try await broker.client(), try await broker.client())
            try await client.subscribe("orders")
            try await left.subscribe("orders")
            let socketID = await left.socketID
            let http = try await broker.raw()
            let answer = try await http.post(
                "channels/orders/events", "name=n&socket_id=\(socketID)", body: #"{"id":42}"#)
            #expect(answer.status == 202 && answer.body.isEmpty && answer.fields["content-length"] == "0")
            #expect(answer.fields["content-type"] == nil)
            #expect(
                try await client.nextFrame() == .text(#"{"event":"n","channel":"orders","data":"{\"id\":42}"}"#))
            try await left.expectNothingMore()
            #expect(try await http.post("channels/orders/events", "name=n").status == 202)
            #expect(try await client.next().data == "")
            for (path, query, body, status) in [
                ("channels/orders/events", "", "d", 400), ("channels/a%20b/events", "name=n", "d", 400),
                ("channels/orders/events", "name=pusher:x", "d", 400),
                ("channels/orders/events", "name=n", String(repeating: "é", count: 5121), 413),
            ] {
                #expect(try await http.post(path, query, body: body).status == status)
            }
            try await client.expectNothingMore()
        }
    }

    @Test("8.2: the texts of refusals are the hosted service's, as far as they are known")
    func texts() async throws {
        let application = TestBroker.application { _, _, limits in
            limits.eventData = 20
            limits.channelName = 200
        }
        try await TestBroker.run(application: application) { broker in
            let name = String(repeating: "c", count: 200)
            for (body, status, text) in [
                ("{}", 400, "Expected name parameter to be a string\n"),
                (#"{"name":7,"channel":"c","data":""}"#, 400, "Expected name parameter to be a string\n"),
                (#"{"name":"n","channel":"c"}"#, 400, "Expected data parameter to be a string\n"),
                (#"{"name":"n","channel":"\#(name)x","data":""}"#, 400, "Invalid channel name\n"),
                (#"{"name":"n","channel":"\#(name)","data":"\#(name.prefix(20))"}"#, 200, "{}"),
                (
                    #"{"name":"n","channel":"c","data":"\#(name.prefix(21))"}"#, 413,
                    "The data content of this event exceeds the allowed maximum (20 bytes)."
                        + " Publish where to fetch it instead.\n"
                ),
            ] {
                let answer = try await broker.trigger(body)
                #expect(answer.status == status && answer.body == text)
            }
        }
    }

    @Test("8.2: an app that publishes more than it may is 429 with Retry-After; a batch counts whole, or not at all")
    func rate() async throws {
        let application = TestBroker.application { _, rates, _ in rates.publishesPerSecond = 1 }
        try await TestBroker.run(application: application) { broker in
            let client = try await broker.client()
            try await client.subscribe("orders")
            let event = #"{"name":"n","channel":"orders","data":"d"}"#
            // What is refused for itself is not counted.
            #expect(try await broker.trigger("{}").status == 400)
            // More than a second's worth passes once, and takes its time.
            let burst = try await broker.batch(Array(repeating: event, count: 10))
            #expect(burst.status == 200)
            let http = try await broker.raw()
            let single = try await http.post("events", body: event)
            #expect(single.status == 429 && single.fields["content-type"] == "text/plain; charset=utf-8")
            let seconds = try #require(single.fields["retry-after"].flatMap { Int($0) })
            #expect((1...10).contains(seconds) && single.body.contains("try again in \(seconds) s"))
            #expect(try await broker.batch([event, event]).status == 429)
            #expect(try await http.post("channels/orders/events", "name=n", body: "d").status == 429)
            // Queries are not counted, and nothing that was refused was delivered.
            #expect(try await http.get("channels").status == 200)
            for _ in 0..<10 { #expect(try await client.next().data == "d") }
            try await client.expectNothingMore()
        }
    }
}

extension TestBroker {
    fileprivate func batch(_ events: [String]) async throws -> TestAnswer {
        try await self.trigger(
            #"{"batch":[\#(events.joined(separator: ","))]}"#, path: "/apps/4711/batch_events")
    }
}
