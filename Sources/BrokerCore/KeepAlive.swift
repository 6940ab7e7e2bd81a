/// When a silent client is asked whether it lives, and when it is given up (section 7 of the protocol facts).
///
/// Pure: instants are nanoseconds of a clock that never goes back.
package struct KeepAlive: Sendable {
    package struct Timing: Sendable {
        /// Silence, in seconds, after which a client pings by itself; it is told so in the handshake.
        package var activityTimeout: Int
        /// How much longer the server waits before it asks, and then how long for the answer, in nanoseconds.
        package var slack: UInt64
        package var pongTimeout: UInt64

        /// - Parameter activityTimeout: seconds, above 0.
        package init(activityTimeout: Int, slack: Duration = .seconds(5), pongTimeout: Duration = .seconds(30)) {
            self.activityTimeout = activityTimeout
            self.slack = slack.nanoseconds
            self.pongTimeout = pongTimeout.nanoseconds
        }

        var silence: UInt64 { UInt64(clamping: self.activityTimeout) * 1_000_000_000 + self.slack }
    }

    package enum Action: Equatable, Sendable {
        /// Look again then.
        case wait(until: UInt64)
        /// Send `pusher:ping`, and look again then.
        case ping(checkAt: UInt64)
        /// Close with 4201.
        case close
    }

    private var lastHeard: UInt64
    /// When a pong is overdue; `max` when none is awaited.
    private var pongDue = UInt64.max

    package init(now: UInt64) {
        self.lastHeard = now
    }

    /// Anything at all came from the client.
    package mutating func heard(at now: UInt64) {
        self.lastHeard = now
        self.pongDue = .max
    }

    /// What to do at `now`.
    package mutating func check(at now: UInt64, timing: Timing) -> Action {
        guard self.pongDue == .max else { return now >= self.pongDue ? .close : .wait(until: self.pongDue) }
        let due = self.lastHeard + timing.silence
        guard now >= due else { return .wait(until: due) }
        self.pongDue = now + timing.pongTimeout
        return .ping(checkAt: self.pongDue)
    }
}

extension UInt64 {
    /// A time in nanoseconds, not negative and at most some thirty years: it can be added to any clock.
    package static func nanoseconds(seconds: Int) -> UInt64 {
        UInt64(Swift.min(Swift.max(seconds, 0), 1_000_000_000)) * 1_000_000_000
    }
}

extension Duration {
    /// Whole nanoseconds; 0 when negative.
    package var nanoseconds: UInt64 {
        let (seconds, attoseconds) = self.components
        return UInt64(clamping: seconds) * 1_000_000_000 + UInt64(clamping: attoseconds / 1_000_000_000)
    }
}
