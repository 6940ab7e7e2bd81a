package import Histogram

/// What has been received.
package struct DeliveryCounts: Sendable {
    /// Different deliveries since the run began, and those within the time that is measured.
    package var received = 0
    package var measured = 0
    /// Deliveries that came twice; that came behind a later one of the same publisher; that were not what had been
    /// published, or on a channel that the connection has not subscribed to.
    package var duplicated = 0
    package var reordered = 0
    package var malformed = 0
    /// From when an event was to be sent to its arrival, in nanoseconds, of events that were due in the measured time.
    package var latency = latencyHistogram()

    mutating func add(_ other: DeliveryCounts) {
        self.received += other.received
        self.measured += other.measured
        self.duplicated += other.duplicated
        self.reordered += other.reordered
        self.malformed += other.malformed
        self.latency.add(other.latency)
    }
}

/// Up to ten minutes, to three digits; 220 KiB.
func latencyHistogram() -> Histogram<UInt64> {
    Histogram(highestTrackableValue: 600_000_000_000, numberOfSignificantValueDigits: .three)
}
