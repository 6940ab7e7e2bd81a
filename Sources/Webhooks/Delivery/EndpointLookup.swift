internal import Synchronization

/// Looks up an endpoint's host name for its attempts, one lookup at a time: an attempt that comes while one still hangs
/// joins it.
final class EndpointLookup: Sendable {
    /// For how long an answer that came too late for its attempt is good for the next one. Without it a nameserver
    /// that takes longer than an attempt has would never be heard.
    private static let lateTime = Duration.seconds(60)

    private struct State {
        var isRunning = false
        /// The attempt that waits. There is one at a time.
        var waiter: AsyncStream<HostLookups.Answer>.Continuation?
        /// What was found when no attempt waited any more.
        var late: (addresses: [String], time: ContinuousClock.Instant)?
    }

    private let host: String
    private let lookups: HostLookups
    private let state = Mutex(State())

    init(host: String, lookups: HostLookups) {
        self.host = host
        self.lookups = lookups
    }

    /// The addresses, the best first. Throws a `LookupFailure`, also at `deadline`, or a `CancellationError`.
    func addresses(until deadline: ContinuousClock.Instant) async throws -> [String] {
        let (answers, waiter) = AsyncStream<HostLookups.Answer>.makeStream()
        let isNew = self.state.withLock { state in
            defer { state.late = nil }
            if let late = state.late, .now - late.time < Self.lateTime {
                waiter.yield(.success(late.addresses))
                return false
            }
            state.waiter = waiter
            defer { state.isRunning = true }
            return !state.isRunning
        }
        if isNew { self.lookups.start(self.host) { self.finish($0) } }
        let alarm = Task {
            try await Task.sleep(until: deadline, clock: .continuous)
            waiter.finish()
        }
        defer { alarm.cancel() }
        for await answer in answers { return try answer.get() }
        try Task.checkCancellation()
        throw LookupFailure(cause: "the host name was not looked up in time")
    }

    private func finish(_ answer: HostLookups.Answer) {
        self.state.withLock { state in
            state.isRunning = false
            let reception = state.waiter?.yield(answer)
            state.waiter = nil
            if case .terminated? = reception, case .success(let addresses) = answer {
                state.late = (addresses, .now)
            }
        }
    }
}
