import Broker
import BrokerCore
import Dispatch
import PusherProtocol
import Synchronization
import Testing

@Suite("Metrics of the broker")
struct MetricsTests {
    @Test("Connections, subscriptions, channels, publishes and deliveries are counted as they happen, by app")
    func counts() async throws {
        let other = Application(credentials: AppCredentials(id: "2", key: "other", secret: AppSecret("other-secret")))
        try await TestBroker.run(others: [other], loops: 1) { broker in
            let clients = [try await broker.client(), try await broker.client()]
            for client in clients {
                for channel in ["orders", "private-a"] { try await client.subscribe(channel) }
            }
            try await broker.expectMetrics(
                #"switchboard_broker_connections{app="4711"} 2"#, #"switchboard_broker_connections{app="2"} 0"#,
                #"switchboard_broker_subscriptions{app="4711"} 4"#, #"switchboard_broker_channels{app="4711"} 2"#)
            // One of them goes to nobody.
            let body = #"{"name":"n","channels":["orders","private-a","nobody"],"data":"x"}"#
            #expect(try await broker.trigger(body).status == 200)
            for client in clients { for _ in 0..<2 { #expect(try await client.next().event == "n") } }
            try await clients[0].send(#"{"event":"client-x","channel":"private-a","data":{}}"#)
            #expect(try await clients[1].next().event == "client-x")
            try await broker.expectMetrics(
                #"switchboard_broker_publishes_total{app="4711"} 3"#,
                #"switchboard_broker_client_events_total{app="4711"} 1"#,
                #"switchboard_broker_deliveries_total{loop="0"} 5"#,
                // What had nobody to go to had no last socket.
                "switchboard_broker_fanout_seconds_count 3",
                #"switchboard_broker_http_requests_total{route="/apps/{id}/events",status="200"} 1"#,
                #"switchboard_broker_http_requests_total{route="/app/{key}",status="101"} 2"#,
                #"switchboard_broker_queue_bytes{loop="0"} 0"#)
            for client in clients {
                try await client.send(#"{"event":"pusher:unsubscribe","data":{"channel":"orders"}}"#)
                try await client.expectNothingMore()
            }
            clients[0].raw.cut()
            try await broker.expectMetrics(
                #"switchboard_broker_connections{app="4711"} 1"#, #"switchboard_broker_subscriptions{app="4711"} 1"#,
                #"switchboard_broker_channels{app="4711"} 1"#, #"switchboard_broker_sockets{loop="0"} 1"#)
        }
    }

    @Test("Bytes are counted on both ways")
    func bytes() async throws {
        try await TestBroker.run(loops: 1) { broker in
            let http = try await broker.raw()
            let request = "GET /up HTTP/1.1\r\nHost: t\r\n\r\n"
            try await http.send(request)
            let answer = try await http.answer()
            #expect(answer.status == 200)
            try await broker.expectMetrics(#"switchboard_broker_received_bytes_total{loop="0"} \#(request.utf8.count)"#)
            let sent = broker.metrics.first { $0.hasPrefix("switchboard_broker_sent_bytes_total{") }
            let count = try #require(sent?.split(separator: " ").last.flatMap { Int($0) })
            // The head is not kept by the client.
            #expect(count > answer.body.utf8.count && count < 1000)
        }
    }

    @Test("Refusals are counted by code and reason, and no label holds what a client sent")
    func refusals() async throws {
        let application = TestBroker.application { _, rates, _ in rates.connections = 1 }
        try await TestBroker.run(application: application, loops: 1) { broker in
            let client = try await broker.client()
            try await expectRefusal(try await broker.upgraded(), code: 4004)
            try await expectRefusal(try await broker.upgraded(path: "/app/canary"), code: 4001)
            for message in [
                "canary", #"{"event":"pusher:canary","data":{}}"#,
                #"{"event":"pusher:subscribe","data":{"channel":"private-canary","auth":"k:canary"}}"#,
            ] {
                try await client.send(message)
                #expect(try await client.next().event == "pusher:error")
            }
            #expect(try await client.next().event == "pusher:subscription_error")
            let http = try await broker.raw()
            try await http.send("GET /canary HTTP/1.1\r\nHost: t\r\n\r\n")
            #expect(try await http.answer().status == 404)
            try await client.raw.send([0x81, 0x00])
            #expect(try await client.closeCode() == 1002)
            try await broker.expectMetrics(
                #"switchboard_broker_refusals_total{code="4004",reason="over_quota"} 1"#,
                #"switchboard_broker_refusals_total{code="4001",reason="unknown_key"} 1"#,
                #"switchboard_broker_refusals_total{code="null",reason="not_a_frame"} 1"#,
                #"switchboard_broker_refusals_total{code="null",reason="unsupported_event"} 1"#,
                #"switchboard_broker_refusals_total{code="null",reason="auth_wrong_key"} 1"#,
                #"switchboard_broker_refusals_total{code="1002",reason="websocket_violation"} 1"#,
                #"switchboard_broker_http_requests_total{route="other",status="404"} 1"#)
            #expect(!broker.metrics.contains { $0.contains("canary") })
        }
    }
}

/// Holds up whoever comes by while it is closed.
private final class Gate: Sendable {
    private let isClosed = Atomic<Bool>(false)
    private let opening = DispatchSemaphore(value: 0)

    func close() { self.isClosed.store(true, ordering: .sequentiallyConsistent) }

    func pass() {
        if self.isClosed.load(ordering: .sequentiallyConsistent) { self.opening.wait() }
    }

    /// For the one who waits and for all who come.
    func open() {
        self.isClosed.store(false, ordering: .sequentiallyConsistent)
        self.opening.signal()
    }
}

@Suite("Signs of life of the broker")
struct StuckLoopTests {
    @Test("A loop that hangs is stuck after five seconds, by its name, and well again once it goes on")
    func hanging() async throws {
        let gate = Gate()
        try await TestBroker.run(
            loops: 2,
            configure: { configuration in
                // Asked on the loop that checks a signature.
                configuration.wallClock = {
                    gate.pass()
                    return TestBroker.now
                }
            }
        ) { broker in
            let clients = [try await broker.client(), try await broker.client()]
            #expect(broker.stuckLoops.isEmpty)
            let http = try await broker.raw()
            gate.close()
            try await http.send(signedRequest("GET", "/apps/4711/channels"))
            while broker.stuckLoops.isEmpty { try await Task.sleep(for: .milliseconds(50)) }
            let stuck = broker.stuckLoops
            #expect(stuck.count == 1 && stuck[0].hasPrefix("broker event loop "))
            // Metrics are there meanwhile.
            #expect(broker.metrics.contains(#"switchboard_broker_connections{app="4711"} 2"#))
            gate.open()
            #expect(try await http.answer().status == 200)
            while !broker.stuckLoops.isEmpty { try await Task.sleep(for: .milliseconds(50)) }
            for client in clients { try await client.expectNothingMore() }
        }
    }
}
