import Telemetry

/// What a loop has handed to its sockets.
struct FanoutCounts: Sendable {
    /// Events, one for each subscriber that got it.
    var deliveries = 0
    var bytes = 0
    /// From the acceptance of an event to its last socket on this loop.
    var latency = Histogram(
        microseconds: [100, 250, 500, 1000, 2500, 5000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000])
}
