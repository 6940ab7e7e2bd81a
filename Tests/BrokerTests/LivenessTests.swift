import Broker
import BrokerCore
import NIOCore
import PusherProtocol
import Support
import Testing

@Suite("Liveness")
struct LivenessTests {
    @Test("P25, P26: a silent client is pinged, and whoever answers is asked again later", arguments: [false, true])
    func ping(overTLS: Bool) async throws {
        // Another ping can only come because the one before was answered: else the connection ends at that time.
        try await TestBroker.run(
            certificate: overTLS ? TestCertificate() : nil,
            configure: {
                $0.keepAlive = KeepAlive.Timing(activityTimeout: 1, slack: .zero, pongTimeout: .seconds(6))
            }
        ) { broker in
            let client = try await broker.client()
            for _ in 0..<2 {
                #expect(try await client.next().event == "pusher:ping")
                try await client.send(#"{"event":"pusher:pong","data":{}}"#)
            }
            try await client.send(#"{"event":"pusher:ping"}"#)
            var event = try await client.next()
            while event.event == "pusher:ping" { event = try await client.next() }
            #expect(event.event == "pusher:pong")
        }
    }

    @Test("P27, P29: whoever does not answer a ping, subscribed or not, gets 4201", arguments: [false, true])
    func reap(overTLS: Bool) async throws {
        try await TestBroker.run(
            certificate: overTLS ? TestCertificate() : nil,
            configure: {
                $0.keepAlive = KeepAlive.Timing(activityTimeout: 2, slack: .zero, pongTimeout: .milliseconds(500))
            }
        ) { broker in
            let (silent, subscribed) = (try await broker.client(), try await broker.client())
            // No answer is awaited: a starved client could be asked before it.
            try await subscribed.send(subscribed.subscription("orders"))
            for client in [silent, subscribed] {
                var event = try await client.next()
                if event.event == "pusher_internal:subscription_succeeded" { event = try await client.next() }
                #expect(event.event == "pusher:ping")
                #expect(try await client.next().data?.contains("4201") == true)
                #expect(try await client.closeCode() == 4201)
            }
        }
    }

    @Test("A request head that does not arrive in time is answered 408")
    func slowHead() async throws {
        try await TestBroker.run(configure: { $0.timeouts.requestHead = .seconds(4) }) { broker in
            let slow = try await broker.raw()
            try await slow.send("GET /up HTTP/1.1\r\nHost:")
            #expect(try await slow.answer().status == 408)
        }
    }

    @Test("A request body that does not arrive in time is answered 408")
    func slowBody() async throws {
        try await TestBroker.run(configure: { $0.timeouts.requestBody = .seconds(1) }) { broker in
            let half = try await broker.raw()
            let request = signedRequest("POST", "/apps/4711/events", body: #"{"name":"n","channel":"c","data":""}"#)
            try await half.send(String(request.dropLast(3)))
            #expect(try await half.answer().status == 408)
        }
    }

    @Test("An idle connection is closed without a word")
    func idle() async throws {
        try await TestBroker.run(configure: { $0.timeouts.idleRequest = .seconds(1) }) { broker in
            let idle = try await broker.raw()
            try await idle.send("GET /up HTTP/1.1\r\nHost: t\r\n\r\n")
            #expect(try await idle.answer().status == 200)
            #expect(try await idle.takeAll().isEmpty)
        }
    }

    @Test("A client that pipelines for longer than a request may take is served all the same")
    func steadyPipelining() async throws {
        try await TestBroker.run(configure: { $0.timeouts.requestHead = .seconds(6) }) { broker in
            let http = try await broker.raw()
            let request = "GET /up HTTP/1.1\r\nHost: t\r\n\r\n"
            // Every packet ends within a head.
            try await http.send(String(request.prefix(10)))
            let start = ContinuousClock.now
            while ContinuousClock.now - start < .seconds(8) {
                try await http.send(String(request.dropFirst(10) + request.prefix(10)))
                #expect(try await http.answer().status == 200)
                // The pace of the client; as fast as it can, it would only keep the machine busy.
                try await Task.sleep(for: .milliseconds(50))
            }
        }
    }

    @Test(
        "Answers are sent whole to a client that reads slowly, before the connection or the server ends",
        arguments: [true, false], [false, true])
    func slowReader(endsServer: Bool, overTLS: Bool) async throws {
        try await TestBroker.run(
            loops: 1, certificate: overTLS ? TestCertificate() : nil,
            configure: {
                $0.maxBacklog = 64 << 20
                $0.timeouts.close = .seconds(10)
            }
        ) { broker in
            // Answers of 170 kB each.
            let subscriber = try await broker.client()
            let filler = String(repeating: "x", count: 155)
            try await subscriber.subscribe(toAll: (0..<1000).map { "\(filler)-\($0)" })

            // Little room at the client, so that the end does not get there before the slow reads are over: NIO would read
            // it, and close the channel.
            let slow = try await broker.raw(receiveBuffer: 256 * 1024)
            // A TLS handshake needs a client that reads.
            try await slow.send("GET /up HTTP/1.1\r\nHost: t\r\n\r\n")
            #expect(try await slow.answer().status == 200)
            try await slow.setReading(false)
            let list = signedRequest("GET", "/apps/4711/channels")
            let marker = signedRequest(
                "POST", "/apps/4711/events", body: #"{"name":"answered","channel":"\#(filler)-0","data":""}"#)
            let last = endsServer ? "" : "GET /up HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n"
            try await slow.send(String(repeating: list, count: 80) + marker + last)
            // All the lists have been made when this comes.
            #expect(try await subscriber.next().event == "answered")
            if endsServer { await broker.shutDown() }
            // Some now and then, for longer than a peer that takes nothing is waited for. The kernel lets the server go
            // on only when a third of its buffer is free, so that it sees one in several of these reads.
            for _ in 0..<40 { try await slow.readOnce(after: .milliseconds(300)) }
            try await slow.setReading(true)
            for _ in 0..<(endsServer ? 81 : 82) { #expect(try await slow.answer().status == 200) }
            #expect(try await slow.takeAll().isEmpty)
        }
    }

    @Test(
        "A client that does not read is closed with 4100; the others get everything, in order",
        arguments: [false, true])
    func slowConsumer(overTLS: Bool) async throws {
        try await TestBroker.run(
            certificate: overTLS ? TestCertificate() : nil,
            configure: {
                $0.maxBacklog = 64 * 1024
                // Longer than this test may take to read what waits, however busy the machine.
                $0.timeouts.close = .seconds(60)
            }
        ) { broker in
            let (fast, slow) = (try await broker.client(), try await broker.client())
            try await fast.subscribe("x")
            try await slow.subscribe("x")
            // Occupied for as long as the slow client is served.
            try await slow.subscribe("slow")
            try await slow.raw.setReading(false)
            let http = try await broker.raw()
            let padding = String(repeating: "x", count: 10_000)
            func isServed() async throws -> Bool {
                try await http.call("GET", "/apps/4711/channels/slow").body == #"{"occupied":true}"#
            }
            var (count, wasServed) = (0, true)
            // One batch more than the slow client is served for.
            while wasServed {
                wasServed = try await isServed()
                let events = (count..<(count + 10)).map {
                    #"{"name":"n","channel":"x","data":"\#($0) \#(padding)"}"#
                }
                let body = #"{"batch":[\#(events.joined(separator: ","))]}"#
                #expect(try await http.call("POST", "/apps/4711/batch_events", body: body).status == 200)
                for index in count..<(count + 10) {
                    #expect(try await fast.next().data?.hasPrefix("\(index) ") == true)
                }
                count += 10
            }
            try await slow.raw.setReading(true)
            var next = 0
            while case let event = try await slow.next(), event.event == "n" {
                #expect(event.data?.hasPrefix("\(next) ") == true)
                next += 1
            }
            #expect(next < count)
            #expect(try await slow.closeCode() == 4100)
        }
    }

    @Test("A client that does not even read its goodbye is cut", arguments: [false, true])
    func deafClient(overTLS: Bool) async throws {
        try await TestBroker.run(
            certificate: overTLS ? TestCertificate() : nil,
            configure: {
                $0.maxBacklog = 64 * 1024
                $0.timeouts.close = .milliseconds(300)
            }
        ) { broker in
            let deaf = try await broker.client()
            try await deaf.subscribe("presence-x", channelData: #"{"user_id":"deaf"}"#)
            try await deaf.raw.setReading(false)
            let padding = String(repeating: "x", count: 10_000)
            let event = #"{"name":"n","channel":"presence-x","data":"\#(padding)"}"#
            let batch = #"{"batch":[\#(Array(repeating: event, count: 10).joined(separator: ","))]}"#
            let http = try await broker.raw()
            while try await http.call("GET", "/apps/4711/channels/presence-x").body == #"{"occupied":true}"# {
                #expect(try await http.call("POST", "/apps/4711/batch_events", body: batch).status == 200)
            }
        }
    }
}
