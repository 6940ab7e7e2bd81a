import Foundation
import Histogram
import LoadGenerator
import PusherClient

/// The result of a run for a program.
struct BenchJSON: Encodable {
    struct Latency: Encodable {
        let p50: Double
        let p99: Double
        let p99_9: Double
        let max: Double

        init(_ histogram: Histogram<UInt64>) {
            func milliseconds(_ percentile: Double) -> Double { Double(histogram.valueAtPercentile(percentile)) / 1e6 }
            (self.p50, self.p99) = (milliseconds(50), milliseconds(99))
            (self.p99_9, self.max) = (milliseconds(99.9), milliseconds(100))
        }
    }

    struct Server: Encodable {
        let pid: Int
        let connect_cpu_seconds: Double
        let cpu_seconds: Double
        let rss_bytes_before: Int
        let rss_bytes_connected: Int
        let rss_bytes: Int
    }

    let url: String
    let connections: Int
    let channels: Int
    let subscriptions: Int
    let channel_kind: String
    let mode: String
    let batch: Int
    let payload_bytes: Int
    let in_flight: Int?
    let rate: Int?
    let publishers: Int
    let threads: Int
    let connect_seconds: Double
    let handshakes_per_second: Double
    let seconds: Double
    let stopped_early: Bool
    let publishes_per_second: Double
    let deliveries_per_second: Double
    let delivery_latency_ms: Latency
    let publish_latency_ms: Latency
    /// Of the whole run.
    let published: Int
    let delivered: Int
    let lost: Int
    let duplicated: Int
    let reordered: Int
    let malformed: Int
    let unsent: Int
    let failed_publishes: [String: Int]
    let lost_connections: [String: Int]
    let generator_cpu_seconds: Double
    let server: Server?
    let clean: Bool

    init(_ plan: LoadPlan, _ result: LoadResult) {
        self.url = plan.endpoint.url
        self.connections = plan.connections
        self.channels = plan.channels
        self.subscriptions = plan.subscriptions
        self.channel_kind = plan.kind.rawValue
        switch plan.mode {
        case .http(let batch): (self.mode, self.batch) = ("http", batch)
        case .clientEvents: (self.mode, self.batch) = ("client_events", 1)
        }
        self.payload_bytes = plan.payload
        switch plan.pace {
        case .closed(let inFlight): (self.in_flight, self.rate) = (inFlight, nil)
        case .open(let rate): (self.in_flight, self.rate) = (nil, rate)
        }
        self.publishers = plan.publishers
        self.threads = plan.threads
        self.connect_seconds = result.connectSeconds
        self.handshakes_per_second = Double(plan.connections) / max(result.connectSeconds, 1e-6)
        self.seconds = result.seconds
        self.stopped_early = result.wasStopped
        self.publishes_per_second = result.seconds > 0 ? Double(result.publishes.measured) / result.seconds : 0
        self.deliveries_per_second = result.seconds > 0 ? Double(result.deliveries.measured) / result.seconds : 0
        self.delivery_latency_ms = Latency(result.deliveries.latency)
        self.publish_latency_ms = Latency(result.publishes.latency)
        self.published = result.publishes.accepted
        self.delivered = result.deliveries.received
        self.lost = result.lost
        self.duplicated = result.deliveries.duplicated
        self.reordered = result.deliveries.reordered
        self.malformed = result.deliveries.malformed
        self.unsent = result.publishes.unsent
        self.failed_publishes = result.publishes.failures
        self.lost_connections = result.losses
        self.generator_cpu_seconds = result.ownCPU
        self.server = result.server.map { server in
            Server(
                pid: plan.process ?? 0, connect_cpu_seconds: server.connectCPU, cpu_seconds: server.cpu,
                rss_bytes_before: server.memoryBefore, rss_bytes_connected: server.memoryConnected,
                rss_bytes: server.memory)
        }
        self.clean = result.isClean
    }

    var text: String {
        get throws {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
            return String(decoding: try encoder.encode(self), as: UTF8.self) + "\n"
        }
    }
}
