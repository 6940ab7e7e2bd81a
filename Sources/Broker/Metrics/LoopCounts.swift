import PusherProtocol
import Synchronization
import Telemetry

/// What one loop has done since the start. Confined to its loop, where counting costs an addition; others see the copy in
/// `LoopReport`.
struct LoopCounts: Sendable {
    struct Refusal: Hashable {
        /// That of the error event or of the close frame; nil for `null`.
        let code: UInt16?
        let reason: RefusalReason
    }

    struct Request: Hashable {
        let route: BrokerRoute
        let status: Int
    }

    /// Accepted sockets that are open, whatever is spoken on them.
    var sockets = 0
    var bytesReceived = 0
    /// Given to sockets, or put behind what waits for them.
    var bytesSent = 0
    var refusals: [Refusal: Int] = [:]
    /// Answered requests of the HTTP API, handshakes included.
    var requests: [Request: Int] = [:]
    var fanout = FanoutCounts()

    mutating func refused(_ error: ProtocolError) {
        self.refusals[Refusal(code: error.code, reason: error.reason), default: 0] += 1
    }

    mutating func answered(_ route: BrokerRoute, status: Int) {
        self.requests[Request(route: route, status: status), default: 0] += 1
    }
}

/// What other threads know of a loop: its counts of a moment ago, and whether it is alive.
final class LoopReport: Sendable {
    /// Longer than anything that a loop does at once takes on the slowest machine.
    private static let stuckAfter = Duration.seconds(5)

    let pulse: Pulse
    private let counts = Mutex(LoopCounts())

    init(loop index: Int) {
        self.pulse = Pulse("broker event loop \(index)", limit: Self.stuckAfter)
    }

    /// Called by the loop, now and then.
    func publish(_ counts: LoopCounts) {
        self.pulse.beat()
        self.counts.withLock { $0 = counts }
    }

    /// The counts as they were published last.
    var latest: LoopCounts { self.counts.withLock { $0 } }
}
