import PusherPublisher
import Synchronization

@testable import TicketAPI

/// What a call of the relay does next: it comes to the broker and waits for its answer, or it is over.
enum RelayProgress: Sendable {
    case asks(SimulatedLine.Request)
    case published(RelayCall)
    case terminated(TerminationCall)
}

/// The line from one life of the relay to the broker. Every request on it waits until the simulation answers it, so that the
/// simulation alone decides what happens in which order.
final class SimulatedLine: EventPublisher, Terminator {
    enum Question: Sendable {
        case publish([PublishedEvent])
        case endConnections([String])
        case endSubscriptions(channel: String)
    }

    struct Request: Sendable {
        let question: Question
        let answer: CheckedContinuation<PublishFailure?, Never>
    }

    private let notify: @Sendable (RelayProgress) -> Void

    init(notify: @escaping @Sendable (RelayProgress) -> Void) {
        self.notify = notify
    }

    func publish(_ events: [PublishedEvent]) async throws(PublishFailure) {
        try await self.ask(.publish(events))
    }

    func terminateConnections(_ sockets: [String], reconnecting: Bool) async throws(PublishFailure) -> Bool {
        try await self.ask(.endConnections(sockets))
        return true
    }

    func terminateSubscriptions(to channel: String) async throws(PublishFailure) -> Bool {
        try await self.ask(.endSubscriptions(channel: channel))
        return true
    }

    func terminateConnections(ofUser userID: Int64) async throws(PublishFailure) -> Bool {
        preconditionFailure("a server of ours is not asked to end a user's connections")
    }

    func isAccepted() async throws(PublishFailure) -> Bool {
        preconditionFailure("a server that refused nothing is not asked whether it accepts")
    }

    private func ask(_ question: Question) async throws(PublishFailure) {
        let failure = await withCheckedContinuation { answer in
            self.notify(.asks(Request(question: question, answer: answer)))
        }
        if let failure { throw failure }
    }
}
