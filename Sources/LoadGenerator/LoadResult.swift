/// What a run has shown.
package struct LoadResult: Sendable {
    /// Seconds from the first connection to the last subscription.
    package var connectSeconds = 0.0
    /// Seconds that were measured; 0 when it was stopped before.
    package var seconds = 0.0
    package var wasStopped = false
    package var deliveries = DeliveryCounts()
    package var publishes = PublishCounts()
    /// Connections that ended during the run, by reason.
    package var losses: [String: Int] = [:]
    /// CPU seconds of this program in the measured time.
    package var ownCPU = 0.0
    /// The server's process, when it was named and could be looked at.
    package var server: Server?

    package struct Server: Sendable {
        /// CPU seconds while connections were made, and in the measured time.
        package var connectCPU: Double
        package var cpu: Double
        /// Resident bytes before the first connection, with all subscribed, and at the end.
        package var memoryBefore: Int
        package var memoryConnected: Int
        package var memory: Int
    }

    /// Deliveries of accepted events that have not come.
    package var lost: Int { max(0, self.publishes.expected - self.deliveries.received) }
    package var failed: Int { self.publishes.failures.values.reduce(0, +) }
    package var lostConnections: Int { self.losses.values.reduce(0, +) }

    /// Whether all that was published arrived once, in order and unharmed, and nothing else went wrong.
    package var isClean: Bool {
        self.lost == 0 && self.deliveries.duplicated == 0 && self.deliveries.reordered == 0
            && self.deliveries.malformed == 0 && self.failed == 0 && self.lostConnections == 0
    }
}

/// How far a run has come.
package enum LoadProgress: Equatable, Sendable {
    case connecting(Int, of: Int)
    case running(Phase, secondsLeft: Double, Rates?)
    /// Waiting for what is still under way.
    case draining

    package enum Phase: Sendable { case warmUp, measuring }

    /// Of the last second or so.
    package struct Rates: Equatable, Sendable {
        package let deliveries: Double
        package let publishes: Double
    }
}
