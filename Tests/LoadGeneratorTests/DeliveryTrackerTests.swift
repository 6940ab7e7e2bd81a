import Histogram
import LoadGenerator
import PusherClient
import PusherProtocol
import Testing

@Suite struct DeliveryTrackerTests {
    private static let channels = ["bench-1", "bench-2", "bench-3"]

    private static func plan(connections: Int = 3, subscriptions: Int = 2, mode: LoadPlan.Mode = .http(batch: 1))
        -> LoadPlan
    {
        LoadPlan(
            endpoint: PusherEndpoint(host: "h", port: 1, tls: nil, key: "k", client: "c", version: "1"),
            credentials: AppCredentials(id: "1", key: "k", secret: AppSecret("s")), connections: connections,
            channels: Self.channels.count, subscriptions: subscriptions, kind: .public, mode: mode,
            pace: .closed(inFlight: 1), publishers: 2, payload: 64, threads: 1, warmUp: .zero, duration: .seconds(1),
            process: nil)
    }

    /// A tracker with all connections subscribed, in a run that began at 1,000 and measures from 100 to 200 of it.
    private static func tracker(_ plan: LoadPlan = plan()) -> DeliveryTracker {
        let tracker = DeliveryTracker(plan: plan, channels: self.channels, connections: plan.connections)
        for connection in 0..<plan.connections {
            for subscription in 0..<plan.subscriptions {
                tracker.subscribed(to: plan.channel(ofConnection: connection, subscription: subscription))
            }
        }
        tracker.start(began: 1000, measured: 100..<200)
        return tracker
    }

    private static func message(
        _ event: UInt32, sequence: UInt32, channel: String = "bench-1", publisher: UInt16 = 0, due: UInt64 = 150,
        name: String = "bench", size: Int = 64
    ) -> [UInt8] {
        var data = JSONWriter()
        data.string(Marker(event: event, publisher: publisher, sequence: sequence, due: due).data(size: size))
        return Array(#"{"event":"\#(name)","channel":"\#(channel)","data":"#.utf8) + data.bytes + [UInt8(ascii: "}")]
    }

    private static func take(
        _ tracker: DeliveryTracker, _ message: [UInt8], connection: Int = 0, now: UInt64 = 1160
    ) -> Bool {
        message.withUnsafeBytes { tracker.take($0, index: connection, connection: connection, now: now) }
    }

    @Test("A connection's channels lie in a ring, and are found again")
    func ring() {
        let plan = Self.plan()
        #expect((0..<3).map { plan.channel(ofConnection: $0, subscription: 0) } == [0, 2, 1])
        #expect((0..<3).map { plan.channel(ofConnection: $0, subscription: 1) } == [1, 0, 2])
        for connection in 0..<3 {
            let found = (0..<3).map { plan.subscription(ofConnection: connection, to: $0) }
            #expect(found.compactMap { $0 }.sorted() == [0, 1])
            for (channel, subscription) in found.enumerated() {
                guard let subscription else { continue }
                #expect(plan.channel(ofConnection: connection, subscription: subscription) == channel)
            }
        }
    }

    @Test("An event is complete when every subscriber has it, whoever came first")
    func completion() {
        let tracker = Self.tracker()
        var completed: [UInt32] = []
        tracker.onComplete = { completed.append($0) }
        // Connections 0 and 1 are on bench-1, 0 and 2 on bench-2.
        #expect(Self.take(tracker, Self.message(0, sequence: 1), connection: 1))
        #expect(Self.take(tracker, Self.message(1, sequence: 1, channel: "bench-2"), connection: 2))
        #expect(completed.isEmpty)
        #expect(Self.take(tracker, Self.message(1, sequence: 1, channel: "bench-2"), connection: 0))
        #expect(Self.take(tracker, Self.message(0, sequence: 1), connection: 0))
        #expect(completed == [1, 0])
        #expect(tracker.counts.received == 4)
        #expect(tracker.counts.malformed + tracker.counts.duplicated + tracker.counts.reordered == 0)
    }

    @Test("Latency counts from when the event was due, of events that were due in the measured time")
    func latency() {
        let tracker = Self.tracker()
        _ = Self.take(tracker, Self.message(0, sequence: 1, due: 99), now: 1101)
        _ = Self.take(tracker, Self.message(1, sequence: 2, due: 100), now: 1130)
        _ = Self.take(tracker, Self.message(2, sequence: 3, due: 199), now: 1_001_199)
        #expect(tracker.counts.received == 3)
        #expect(tracker.counts.measured == 2, "arrived in the measured time, whenever they were due")
        #expect(tracker.counts.latency.totalCount == 2)
        #expect(tracker.counts.latency.valueAtPercentile(50) == 30)
        #expect(abs(Int(tracker.counts.latency.valueAtPercentile(100)) - 1_000_000) < 1000, "to three digits")
    }

    @Test("What comes twice or late is counted so, for each connection and each publisher apart")
    func order() {
        let tracker = Self.tracker()
        for sequence in [1, 3, 2, 3] as [UInt32] {
            _ = Self.take(tracker, Self.message(sequence, sequence: sequence))
        }
        _ = Self.take(tracker, Self.message(1, sequence: 1), connection: 1)
        _ = Self.take(tracker, Self.message(9, sequence: 1, publisher: 1))
        #expect(tracker.counts.reordered == 1)
        #expect(tracker.counts.duplicated == 1)
        #expect(tracker.counts.received == 5, "the duplicate is none")
        #expect(tracker.counts.malformed == 0)
    }

    @Test(
        "A message that is not what was published is malformed",
        arguments: [
            message(0, sequence: 1, channel: "bench-3"), message(0, sequence: 1, channel: "bench-9"),
            message(0, sequence: 1, publisher: 2), message(0, sequence: 1, name: "other"),
            message(0, sequence: 1, size: 65), Array(message(0, sequence: 1).dropLast()),
            message(0, sequence: 1).map { $0 == UInt8(ascii: "x") ? UInt8(ascii: "y") : $0 },
        ])
    func malformed(_ message: [UInt8]) {
        let tracker = Self.tracker()
        #expect(Self.take(tracker, message))
        #expect(tracker.counts.malformed == 1)
        #expect(tracker.counts.received == 0)
        // The same behind a right one, which later ones are compared with.
        _ = Self.take(tracker, Self.message(0, sequence: 1), connection: 1)
        #expect(Self.take(tracker, message))
        #expect(tracker.counts.malformed == 2)
        #expect(tracker.counts.received == 1)
    }

    @Test("A message of nobody's is not taken")
    func foreign() {
        #expect(!Self.take(Self.tracker(), Array(#"{"event":"pusher:pong","data":"{}"}"#.utf8)))
    }
}
