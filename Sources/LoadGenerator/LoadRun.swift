internal import Glibc
internal import NIOCore
internal import NIOPosix
internal import PusherClient
internal import PusherProtocol
internal import Synchronization

/// One run of a load against a server: connects, warms up, measures, waits for what is under way, and counts.
package final class LoadRun: Sendable {
    private static let tick = Duration.milliseconds(100)
    /// How long nothing may arrive before what is still under way counts as lost, in ticks.
    private static let drainTicks = 50

    private let plan: LoadPlan
    private let group: MultiThreadedEventLoopGroup
    private let isStopping = Atomic<Bool>(false)
    private let report: @Sendable (LoadProgress) -> Void

    /// - Parameter report: told about the progress ten times a second.
    package init(_ plan: LoadPlan, report: @escaping @Sendable (LoadProgress) -> Void) {
        self.plan = plan
        self.report = report
        self.group = MultiThreadedEventLoopGroup(numberOfThreads: plan.threads)
    }

    /// Ends early: what has been measured so far is the result. From any thread.
    package func stop() { self.isStopping.store(true, ordering: .relaxed) }

    private var mustStop: Bool { self.isStopping.load(ordering: .relaxed) }

    /// Runs once. Throws a `LoadFailure` when there is nothing to show.
    package func run() async throws -> LoadResult {
        do {
            let result = try await self.measure()
            try await self.group.shutdownGracefully()
            return result
        } catch {
            try await self.group.shutdownGracefully()
            throw error
        }
    }

    private func measure() async throws -> LoadResult {
        let names = ChannelNames(self.plan, run: .random(in: 100_000...999_999)).all
        let eventLoops = Array(self.group.makeIterator())
        let loops = try await self.makeLoops(eventLoops, names: names)
        var result = LoadResult()
        let before = self.plan.process.flatMap { ProcessUsage(of: $0) }
        let began = ContinuousClock.now
        do {
            try await self.connect(loops)
        } catch {
            for loop in loops {
                try await loop.eventLoop.submit {
                    loop.value.failed(.stopped)
                    loop.value.close()
                }.get()
            }
            throw error
        }
        result.connectSeconds = (ContinuousClock.now - began) / .seconds(1)
        let connected = self.plan.process.flatMap { ProcessUsage(of: $0) }

        let load = try await loops[0].eventLoop.submit { [plan] in
            NIOLoopBound(RunningLoad(plan: plan, names: names, loops: loops), eventLoop: loops[0].eventLoop)
        }.get()
        try await self.pace(load, loops: loops, result: &result, connected: connected, before: before)
        for loop in loops {
            let (counts, losses) = try await loop.eventLoop.submit {
                defer { loop.value.close() }
                return (loop.value.tracker.counts, loop.value.losses)
            }.get()
            result.deliveries.add(counts)
            result.losses.merge(losses, uniquingKeysWith: +)
        }
        result.publishes = try await load.eventLoop.submit {
            load.value.close()
            return load.value.pacer.counts
        }.get()
        return result
    }

    private func makeLoops(
        _ eventLoops: [any EventLoop], names: [String]
    ) async throws -> [NIOLoopBound<LoadLoop>] {
        var loops: [NIOLoopBound<LoadLoop>] = []
        for (index, eventLoop) in eventLoops.enumerated() {
            loops.append(
                try await eventLoop.submit { [plan] in
                    NIOLoopBound(
                        LoadLoop(index: index, plan: plan, channels: names, client: ClientLoop(eventLoop)),
                        eventLoop: eventLoop)
                }.get())
        }
        return loops
    }

    // MARK: Connecting

    /// One connection shows whether the server can be reached, then the HTTP API is asked something, then come all
    /// others.
    private func connect(_ loops: [NIOLoopBound<LoadLoop>]) async throws {
        let first = loops[0]
        try await self.watchConnecting(loops) {
            try await first.eventLoop.flatSubmit { first.value.open(upTo: 1) }.get()
        }
        let address = try await first.eventLoop.submit { first.value.subscribers[0].connection?.remoteAddress }.get()
        for loop in loops { try await loop.eventLoop.submit { loop.value.address = address }.get() }
        if self.plan.mode != .clientEvents { try await self.checkAPI(first) }
        try await self.watchConnecting(loops) {
            let all = loops.map { loop in loop.eventLoop.flatSubmit { loop.value.open(upTo: .max) } }
            try await EventLoopFuture.andAllSucceed(all, on: first.eventLoop).get()
        }
    }

    /// Reports while connections are made, and stops when that is asked for.
    private func watchConnecting(
        _ loops: [NIOLoopBound<LoadLoop>], _ body: @escaping @Sendable () async throws -> Void
    ) async throws {
        try await withThrowingTaskGroup(of: Bool.self) { tasks in
            tasks.addTask {
                try await body()
                return true
            }
            tasks.addTask { [plan] in
                while !self.mustStop {
                    try await Task.sleep(for: Self.tick)
                    var joined = 0
                    for loop in loops { joined += try await loop.eventLoop.submit { loop.value.joinedCount }.get() }
                    self.report(.connecting(joined, of: plan.connections))
                }
                for loop in loops { loop.eventLoop.execute { loop.value.failed(.stopped) } }
                return false
            }
            while let isDone = try await tasks.next() {
                if isDone { break }
            }
            tasks.cancelAll()
        }
    }

    /// Asks for something harmless that needs a right signature.
    private func checkAPI(_ loop: NIOLoopBound<LoadLoop>) async throws {
        let plan = self.plan
        let promise = loop.eventLoop.makePromise(of: Void.self)
        loop.eventLoop.execute {
            let connection = HTTPConnection(
                endpoint: plan.endpoint, address: loop.value.address, eventLoop: loop.eventLoop)
            let deadline = loop.eventLoop.assumeIsolated().scheduleTask(in: PusherConnection.patience) {
                promise.fail(LoadFailure.noAPI(.timedOut(.established)))
                connection.close()
            }
            let request = SignedRequest(method: "GET", path: "/apps/\(plan.credentials.id)/channels", body: [])
            connection.send(request.head(of: plan, now: Int64(time(nil))), body: []) { answer in
                deadline.cancel()
                connection.close()
                switch answer {
                case .success(let answer) where answer.status < 300: promise.succeed()
                case .success(let answer): promise.fail(LoadFailure.api(status: answer.status, body: answer.body))
                case .failure(let failure): promise.fail(LoadFailure.noAPI(failure))
                }
            }
        }
        try await promise.futureResult.get()
    }

    // MARK: Measuring

    private func pace(
        _ load: NIOLoopBound<RunningLoad>, loops: [NIOLoopBound<LoadLoop>], result: inout LoadResult,
        connected: ProcessUsage?, before: ProcessUsage?
    ) async throws {
        let began = NIODeadline.now().uptimeNanoseconds
        let measured =
            self.plan.warmUp.inNanoseconds..<(self.plan.warmUp.inNanoseconds + self.plan.duration.inNanoseconds)
        for loop in loops {
            try await loop.eventLoop.submit { loop.value.tracker.start(began: began, measured: measured) }.get()
        }
        try await load.eventLoop.submit { load.value.pacer.start(began: began, measured: measured) }.get()

        try await self.wait(until: began + measured.lowerBound, .warmUp, load, loops: loops)
        let (ownBefore, serverBefore) = (ProcessUsage.ownCPU, self.plan.process.flatMap { ProcessUsage(of: $0) })
        try await self.wait(until: began + measured.upperBound, .measuring, load, loops: loops)
        let end = NIODeadline.now().uptimeNanoseconds - began
        let (ownAfter, serverAfter) = (ProcessUsage.ownCPU, self.plan.process.flatMap { ProcessUsage(of: $0) })
        if self.mustStop {
            result.wasStopped = true
            for loop in loops { try await loop.eventLoop.submit { loop.value.tracker.cut(at: end) }.get() }
        }
        try await load.eventLoop.submit { load.value.pacer.stop(at: end) }.get()
        result.seconds = Double(min(end, measured.upperBound)) / 1e9 - Double(measured.lowerBound) / 1e9
        result.seconds = max(0, result.seconds)
        result.ownCPU = ownAfter - ownBefore
        try await self.drain(load, loops: loops)
        let final = self.plan.process.flatMap { ProcessUsage(of: $0) }
        if let before, let connected, let serverBefore, let serverAfter {
            result.server = .init(
                connectCPU: connected.cpu - before.cpu, cpu: serverAfter.cpu - serverBefore.cpu,
                memoryBefore: before.memory, memoryConnected: connected.memory, memory: (final ?? serverAfter).memory)
        }
    }

    /// Waits and reports; a stop ends the waiting.
    private func wait(
        until end: UInt64, _ phase: LoadProgress.Phase, _ load: NIOLoopBound<RunningLoad>,
        loops: [NIOLoopBound<LoadLoop>]
    ) async throws {
        var last = (time: NIODeadline.now().uptimeNanoseconds, received: 0, accepted: 0)
        var rates: LoadProgress.Rates?
        while !self.mustStop {
            let now = NIODeadline.now().uptimeNanoseconds
            guard now < end else { return }
            try await Task.sleep(for: min(Self.tick, .nanoseconds(Int64(end - now))))
            let received = try await Self.received(loops)
            let accepted = try await load.eventLoop.submit {
                load.value.pacer.sweep()
                return load.value.pacer.counts.accepted
            }.get()
            let elapsed = Double(NIODeadline.now().uptimeNanoseconds - last.time) / 1e9
            if elapsed >= 1 {
                rates = LoadProgress.Rates(
                    deliveries: Double(received - last.received) / elapsed,
                    publishes: Double(accepted - last.accepted) / elapsed)
                last = (NIODeadline.now().uptimeNanoseconds, received, accepted)
            }
            let left = Double(end) / 1e9 - Double(NIODeadline.now().uptimeNanoseconds) / 1e9
            self.report(.running(phase, secondsLeft: max(0, left), rates))
        }
    }

    /// Waits for what is under way, for as long as something comes.
    private func drain(_ load: NIOLoopBound<RunningLoad>, loops: [NIOLoopBound<LoadLoop>]) async throws {
        var (received, idleTicks) = (-1, 0)
        while idleTicks < Self.drainTicks {
            let underWay = try await load.eventLoop.submit { load.value.pacer.underWayCount }.get()
            if underWay == 0 { return }
            self.report(.draining)
            try await Task.sleep(for: Self.tick)
            let now = try await Self.received(loops)
            idleTicks = now == received ? idleTicks + 1 : 0
            received = now
        }
    }

    private static func received(_ loops: [NIOLoopBound<LoadLoop>]) async throws -> Int {
        var received = 0
        for loop in loops { received += try await loop.eventLoop.submit { loop.value.tracker.counts.received }.get() }
        return received
    }
}

extension Duration {
    fileprivate var inNanoseconds: UInt64 {
        let (seconds, attoseconds) = self.components
        return UInt64(clamping: seconds) * 1_000_000_000 + UInt64(clamping: attoseconds / 1_000_000_000)
    }
}
