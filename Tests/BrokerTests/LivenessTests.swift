import Broker
import BrokerCore
import NIOCore
import PusherProtocol
import Testing

@Suite("Liveness")
struct LivenessTests {
    @Test(
        "P25–P27, P29: a silent client is pinged, subscribed or not; whoever answers stays, whoever does not gets 4201",
        arguments: [false, true])
    func pingAndReap(overTLS: Bool) async throws {
        try await TestBroker.run(
            certificate: overTLS ? TestCertificate() : nil,
            configure: {
                $0.keepAlive = KeepAlive.Timing(activityTimeout: 1, slack: .zero, pongTimeout: .seconds(4))
            }
        ) { broker in
            let (live, silent) = (try await broker.client(), try await broker.client())
            #expect(try await silent.next().event == "pusher:ping")
            async let error = silent.next()
            // Longer than the silent one has.
            for _ in 0..<6 {
                #expect(try await live.next().event == "pusher:ping")
                try await live.send(#"{"event":"pusher:pong","data":{}}"#)
            }
            #expect(try await error.data?.contains("4201") == true)
            #expect(try await silent.closeCode() == 4201)
            try await live.send(#"{"event":"pusher:ping"}"#)
            var event = try await live.next()
            while event.event == "pusher:ping" { event = try await live.next() }
            #expect(event.event == "pusher:pong")
        }
    }

    @Test("A request that does not arrive in time is answered 408; an idle connection is closed without a word")
    func slowRequest() async throws {
        try await TestBroker.run(
            configure: {
                $0.timeouts.requestHead = .seconds(2)
                $0.timeouts.requestBody = .seconds(2)
                $0.timeouts.idleRequest = .seconds(2)
            }
        ) { broker in
            let slow = try await broker.raw()
            try await slow.send("GET /up HTTP/1.1\r\nHost:")
            #expect(try await slow.answer().status == 408)
            let idle = try await broker.raw()
            try await idle.send("GET /up HTTP/1.1\r\nHost: t\r\n\r\n")
            #expect(try await idle.answer().status == 200)
            #expect(try await idle.takeAll().isEmpty)
            let half = try await broker.raw()
            let request = signedRequest("POST", "/apps/4711/events", body: #"{"name":"n","channel":"c","data":""}"#)
            try await half.send(String(request.dropLast(3)))
            #expect(try await half.answer().status == 408)
        }
    }

    @Test("A client that pipelines for longer than a request may take is served all the same")
    func steadyPipelining() async throws {
        try await TestBroker.run(configure: { $0.timeouts.requestHead = .seconds(2) }) { broker in
            let http = try await broker.raw()
            let request = "GET /up HTTP/1.1\r\nHost: t\r\n\r\n"
            // Every packet ends within a head.
            try await http.send(String(request.prefix(10)))
            let start = ContinuousClock.now
            while ContinuousClock.now - start < .seconds(4) {
                try await http.send(String(request.dropFirst(10) + request.prefix(10)))
                #expect(try await http.answer().status == 200)
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
                $0.timeouts.close = .seconds(2)
                $0.timeouts.shutdown = .seconds(60)
            }
        ) { broker in
            // Answers of 170 kB each.
            let subscriber = try await broker.client()
            let filler = String(repeating: "x", count: 155)
            for index in 0..<1000 { try await subscriber.subscribe("\(filler)-\(index)") }

            let slow = try await broker.raw()
            // A TLS handshake needs a client that reads.
            try await slow.send("GET /up HTTP/1.1\r\nHost: t\r\n\r\n")
            #expect(try await slow.answer().status == 200)
            try await slow.setReading(false)
            let request = signedRequest("GET", "/apps/4711/channels")
            let last = request.replacing("Host: test\r\n", with: "Host: test\r\nConnection: close\r\n")
            try await slow.send(String(repeating: request, count: 59) + (endsServer ? request : last))
            // With every turn of the loop that answers these, it reads from the other connection too.
            let other = try await broker.raw()
            for _ in 0..<200 {
                try await other.send("GET /up HTTP/1.1\r\nHost: t\r\n\r\n")
                #expect(try await other.answer().status == 200)
            }
            if endsServer { await broker.shutDown() }
            // Some now and then, for twice as long as a peer that takes nothing is waited for.
            for _ in 0..<20 { try await slow.readOnce(after: .milliseconds(200)) }
            try await slow.setReading(true)
            let answers = String(decoding: try await slow.takeAll(), as: UTF8.self).split(separator: "HTTP/1.1 200 OK")
            #expect(answers.count == 60)
            #expect(answers.last?.hasSuffix("}}") == true)
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
                // Longer than the test takes to get back to the slow client, which is to read to the end.
                $0.timeouts.close = .seconds(60)
            }
        ) { broker in
            let (fast, slow) = (try await broker.client(), try await broker.client())
            try await fast.subscribe("x")
            try await slow.subscribe("x")
            try await slow.raw.setReading(false)
            let http = try await broker.raw()
            let padding = String(repeating: "x", count: 10_000)
            // Far more than the kernel's buffers and the backlog hold.
            let count = 2_000
            for start in stride(from: 0, to: count, by: 10) {
                let events = (start..<(start + 10)).map {
                    #"{"name":"n","channel":"x","data":"\#($0) \#(padding)"}"#
                }
                let body = #"{"batch":[\#(events.joined(separator: ","))]}"#
                #expect(try await http.call("POST", "/apps/4711/batch_events", body: body).status == 200)
                for index in start..<(start + 10) {
                    #expect(try await fast.next().data?.hasPrefix("\(index) ") == true)
                }
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
