internal import NIOCore
internal import NIOPosix
internal import Telemetry

/// The signs of life of the event loops that carry the ticket API's connections: those that the process shares.
struct LoopPulses: Sendable {
    /// Longer than anything that a loop does at once takes on the slowest machine.
    private static let stuckAfter = Duration.seconds(5)
    private static let interval = TimeAmount.seconds(1)

    let pulses: [Pulse]
    private let beats: [RepeatedTask]

    init(_ group: MultiThreadedEventLoopGroup) {
        let loops = Array(group.makeIterator())
        let pulses = loops.indices.map { Pulse("ticket API event loop \($0)", limit: Self.stuckAfter) }
        self.beats = zip(loops, pulses).map { loop, pulse in
            loop.scheduleRepeatedTask(initialDelay: .zero, delay: Self.interval) { _ in pulse.beat() }
        }
        self.pulses = pulses
    }

    func end() {
        for beat in self.beats { beat.cancel() }
        for pulse in self.pulses { pulse.end() }
    }
}
