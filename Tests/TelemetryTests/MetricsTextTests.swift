import Telemetry
import Testing

@Suite("Metrics as Prometheus reads them")
struct MetricsTextTests {
    @Test("A metric is described once, its samples stand in the order of their labels, and nothing breaks a line")
    func samples() {
        var text = MetricsText()
        text.write(
            Metric("queue", .gauge, "What waits", labels: ["app", "kind"]),
            [(["b", "x"], 2), (["a\"\\\n", "y"], 1)])
        text.write(Metric("nothing_total", .counter, "Never seen", labels: ["app"]), [([String], Int)]())
        text.write(Metric("age_seconds", .gauge, "An age"), 1.5)
        #expect(
            text.text == """
                # HELP queue What waits
                # TYPE queue gauge
                queue{app="a\\"\\\\\\n",kind="y"} 1
                queue{app="b",kind="x"} 2
                # HELP nothing_total Never seen
                # TYPE nothing_total counter
                # HELP age_seconds An age
                # TYPE age_seconds gauge
                age_seconds 1.5

                """)
    }

    @Test("A histogram's buckets add up, and its bounds belong to them")
    func histogram() {
        var histogram = Histogram(microseconds: [100, 1000])
        histogram.record(nanoseconds: 100_000)
        histogram.record(nanoseconds: 100_001, times: 2)
        var other = Histogram(microseconds: [100, 1000])
        other.record(nanoseconds: 2_000_000_000)
        histogram.add(other)
        var text = MetricsText()
        text.write(Metric("wait_seconds", .histogram, "A wait"), histogram)
        #expect(
            text.text == """
                # HELP wait_seconds A wait
                # TYPE wait_seconds histogram
                wait_seconds_bucket{le="0.0001"} 1
                wait_seconds_bucket{le="0.001"} 3
                wait_seconds_bucket{le="+Inf"} 4
                wait_seconds_sum 2.000300002
                wait_seconds_count 4

                """)
    }
}

@Suite("Signs of life")
struct PulseTests {
    @Test("What does not beat for longer than it may is stuck, until it beats again or ends")
    func pulse() async throws {
        let pulse = Pulse("loop", limit: .milliseconds(1))
        #expect(Pulse("other", limit: .seconds(600)).stuckForSeconds == nil)
        // As long as it takes: a busy machine only makes it longer.
        while pulse.stuckForSeconds == nil { try await Task.sleep(for: .milliseconds(1)) }
        pulse.end()
        #expect(pulse.stuckForSeconds == nil)
    }
}
