import NIOHTTP1
import PusherPublisher
import Synchronization
import Telemetry

/// What the server says of itself to whoever restarts it or sends it clients. Any thread may ask; nothing is waited for.
final class Health: Sendable {
    private let pulses: [Pulse]
    private let isLeaving = Atomic<Bool>(false)

    /// - Parameter pulses: of everything that must not stop.
    init(pulses: [Pulse]) {
        self.pulses = pulses
    }

    /// The server goes down: it is to be sent no more clients.
    func drain() { self.isLeaving.store(true, ordering: .relaxed) }

    var isDraining: Bool { self.isLeaving.load(ordering: .relaxed) }

    /// Whether nothing is stuck: else only a restart helps.
    var isLive: Bool { self.stuck.isEmpty }

    /// Whether clients should be sent here.
    var isReady: Bool { !self.isDraining && self.isLive }

    /// What does not beat, by its name, with the seconds since it did.
    var stuck: [(name: String, seconds: Int)] {
        self.pulses.compactMap { pulse in pulse.stuckForSeconds.map { (pulse.name, $0) } }
    }

    var live: OpsAnswer { self.answer(isGood: self.isLive, good: "live") }
    var ready: OpsAnswer { self.answer(isGood: self.isReady, good: "ready") }

    private func answer(isGood: Bool, good: String) -> OpsAnswer {
        guard !isGood else { return .json(.ok, ["status": .string(good)]) }
        let stuck = self.stuck
        guard !stuck.isEmpty else { return .json(.serviceUnavailable, ["status": "draining"]) }
        return .json(
            .serviceUnavailable,
            [
                "status": "stuck",
                "stuck": .array(
                    stuck.map { .object([("what", .string($0.name)), ("silent_seconds", .int(Int64($0.seconds)))]) }),
            ])
    }
}
