import Foundation
import Dispatch
import Synchronization

/// Hears all subscriptions on one thread, checks the order, and keeps how long each message was on its way.
final class Listener: Sendable {
    /// What is known of one ticket's chat, by the event's name.
    private struct Heard {
        var plain: Int64 = 0
        var laravel: Int64 = 0
    }

    private struct State {
        var heard: [Heard]
        var latencies: [Int64] = []
        var faults: [String] = []
        var isOver = false
    }

    private let state: Mutex<State>
    private let thread = DispatchSemaphore(value: 0)

    init(_ subscriptions: [Subscription]) {
        self.state = Mutex(State(heard: Array(repeating: Heard(), count: subscriptions.count)))
        // Handed over to the thread: nobody else has them.
        nonisolated(unsafe) let subscriptions = subscriptions
        Thread.detachNewThread {
            do {
                try self.listen(subscriptions)
            } catch {
                self.state.withLock { $0.faults.append("the listener: \(error)") }
            }
            self.thread.signal()
        }
    }

    private func listen(_ subscriptions: [Subscription]) throws {
        var polls = subscriptions.map { pollfd(fd: $0.socket.descriptor, events: Int16(POLLIN), revents: 0) }
        while !self.state.withLock({ $0.isOver }) {
            guard poll(&polls, nfds_t(polls.count), 100) > 0 else { continue }
            let now = Clock.now
            for (index, subscription) in subscriptions.enumerated() where polls[index].revents != 0 {
                try subscription.socket.receive()
                try subscription.frames { offset, length in
                    try self.hear(subscription.socket, offset, length, index: index, now: now)
                }
            }
        }
        for subscription in subscriptions { subscription.socket.close() }
    }

    private func hear(_ socket: Socket, _ offset: Int, _ length: Int, index: Int, now: Int64) throws {
        let end = offset + length
        guard let mark = socket.find(#":\"b "#, from: offset, within: end) else { return }
        let isPlain = socket.find(#""event":"NewMessage""#, from: offset, within: end) != nil
        let poster = socket.number(at: mark + 5)
        let number = socket.number(at: poster.end + 1)
        let moment = socket.number(at: number.end + 1).value
        self.state.withLock { state in
            let heard = isPlain ? state.heard[index].plain : state.heard[index].laravel
            if poster.value != index || number.value != heard + 1, state.faults.count < 10 {
                state.faults.append(
                    "chat \(index): message \(number.value) of client \(poster.value) after message \(heard)")
            }
            if isPlain {
                state.heard[index].plain = number.value
                state.latencies.append(now - moment)
            } else {
                state.heard[index].laravel = number.value
            }
        }
    }

    /// Waits until everything that was acknowledged was heard under both names, ten seconds at most.
    func wait(for posters: [Poster]) {
        let limit = Clock.now + 10_000_000_000
        let expected = posters.map(\.acknowledged)
        while Clock.now < limit {
            let isComplete = self.state.withLock { state in
                zip(expected, state.heard).allSatisfy { $0 == $1.plain && $0 == $1.laravel } || !state.faults.isEmpty
            }
            if isComplete { return }
            Clock.sleep(until: Clock.now + 1_000_000)
        }
        self.state.withLock { state in
            for (index, pair) in zip(expected, state.heard).enumerated() where pair.0 != pair.1.plain {
                state.faults.append("chat \(index): \(pair.0) messages acknowledged, \(pair.1.plain) delivered")
            }
        }
    }

    /// The latencies since the last call, in nanoseconds.
    func takeLatencies() -> [Int64] {
        self.state.withLock { state in
            defer { state.latencies = [] }
            return state.latencies
        }
    }

    /// Ends the thread. What was wrong.
    func finish() -> [String] {
        self.state.withLock { $0.isOver = true }
        self.thread.wait()
        return self.state.withLock { $0.faults }
    }
}
