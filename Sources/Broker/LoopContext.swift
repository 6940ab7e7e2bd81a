import BrokerCore
import Glibc
import Logging
import NIOCore
import PusherProtocol
import Telemetry

/// What all connections of one event loop share. Confined to its loop.
final class LoopContext {
    let eventLoop: any EventLoop
    /// The loop's place among the broker's loops.
    let index: Int
    let configuration: BrokerConfiguration
    private(set) var apps: ServedApps
    /// What new TLS connections are served with; nil when the broker has no certificate.
    var tls: TLSIdentity?
    /// Of the whole node.
    let quota: ConnectionQuota
    let addresses: AddressQuota
    let logger: Logger
    /// What happened here, published with every tick.
    var counts = LoopCounts()

    let subscribers: LoopSubscribers
    let sockets = LoopSockets()
    let wheel: DeadlineWheel<Connection>
    /// What has been read from a socket and is being worked through.
    let input: UnsafeMutableRawBufferPointer
    /// Unmasked bytes of the message that is being read.
    let scratch: UnsafeMutableRawBufferPointer
    /// What the connection that is being read from will be sent when its input has been worked through.
    var replies: ByteBuffer
    /// Connections with bytes that NIO is to write, and those that could not be written to: both wait until nothing
    /// walks over connections. NIO, when a write fails, calls back to read and to close before it returns.
    var unwritten: [Connection] = []
    var failed: [(connection: Connection, failure: Connection.WriteFailure)] = []
    private(set) var isShuttingDown = false
    private var emptied: EventLoopPromise<Void>?
    /// Clients that are still to be sent away.
    private var leaving: [Connection] = []

    /// How long deliveries, and other work in pieces, may take in one turn, in nanoseconds.
    private static let pieceTime: UInt64 = 2_000_000

    private let report: LoopReport
    private let fanout: LoopFanout
    /// A run of `deliver` that goes on with what one before it did not finish is on its way.
    private var isContinuing = false
    private let slowTurns: SlowTurns
    private var ticks: RepeatedTask?
    private var dateSecond: time_t = 0
    private var date = ""

    init(
        index: Int, eventLoop: any EventLoop, configuration: BrokerConfiguration, apps: ServedApps, inbox: LoopInbox,
        report: LoopReport, quota: ConnectionQuota, addresses: AddressQuota, slowTurns: SlowTurns, logger: Logger
    ) {
        self.index = index
        self.eventLoop = eventLoop
        self.configuration = configuration
        self.apps = apps
        self.report = report
        self.quota = quota
        self.addresses = addresses
        self.logger = logger
        self.slowTurns = slowTurns
        self.subscribers = LoopSubscribers()
        self.fanout = LoopFanout(inbox: inbox, subscribers: self.subscribers, sockets: self.sockets)
        self.wheel = DeadlineWheel(now: NIODeadline.now().uptimeNanoseconds)
        self.input = .allocate(byteCount: 16 * 1024, alignment: 8)
        self.scratch = .allocate(byteCount: max(configuration.maxMessageBytes, 125), alignment: 8)
        self.replies = ByteBufferAllocator().buffer(capacity: 16 * 1024)
    }

    deinit {
        self.input.deallocate()
        self.scratch.deallocate()
    }

    /// Nanoseconds of the clock that deadlines are set by.
    var now: UInt64 { NIODeadline.now().uptimeNanoseconds }

    /// Begins to look after deadlines, and returns what the inbox runs when something was put into it.
    func start() -> @Sendable () -> Void {
        let bound = NIOLoopBound(self, eventLoop: self.eventLoop)
        let tick = TimeAmount.nanoseconds(Int64(DeadlineWheel<Connection>.tick))
        self.ticks = self.eventLoop.scheduleRepeatedTask(initialDelay: tick, delay: tick) { _ in
            let context = bound.value
            context.inPieces { isTimeUp in context.wheel.advance(to: context.now, isTimeUp: isTimeUp) }
            context.turn { $0.announceDueCounts() }
            context.publishCounts()
        }
        return {
            let context = bound.value
            if !context.isContinuing { context.deliver(bound) }
        }
    }

    /// Deals out what is in the inbox; after a while others have their turn, and then it goes on.
    private func deliver(_ bound: NIOLoopBound<LoopContext>) {
        self.isContinuing = !self.turn { context in
            let end = context.now + Self.pieceTime
            return context.fanout.run { context.now >= end }
        }
        guard self.isContinuing else { return }
        self.eventLoop.execute { bound.value.deliver(bound) }
    }

    /// Gives a connection what it is owed of deliveries that are under way, before anything else happens to it.
    func catchUp(_ connection: Connection) { self.fanout.catchUp(connection) }

    /// Does a piece of work, and then what had to wait for its end. Counts it when it held up the loop for long.
    func turn<Result>(_ work: (LoopContext) -> Result) -> Result {
        let start = self.now
        let result = work(self)
        self.settle()
        self.slowTurns.note(self.now - start)
        return result
    }

    /// Does long work in pieces, each in a turn of its own, so that others need not wait for all of it. `piece` goes on
    /// until `isTimeUp` and returns false when there is more. The first begins when what runs now is over.
    func inPieces(_ piece: @escaping (_ isTimeUp: () -> Bool) -> Bool) {
        self.eventLoop.assumeIsolated().execute {
            let isDone = self.turn { context in
                let end = context.now + Self.pieceTime
                return piece { context.now >= end }
            }
            if !isDone { self.inPieces(piece) }
        }
    }

    /// Closes those whose socket failed or who did not keep up, and writes what could not go straight to a socket, their
    /// goodbyes included. Called when no list of connections is being walked.
    func settle() {
        while let (connection, failure) = self.failed.popLast() { connection.close(after: failure) }
        while let connection = self.unwritten.popLast() { connection.writeNext() }
    }

    private func publishCounts() {
        self.counts.fanout = self.fanout.counts
        self.report.publish(self.counts)
    }

    /// One loop looks after the counts of crowded channels for all.
    private func announceDueCounts() {
        guard self.index == 0 else { return }
        for app in self.apps.all where app.application.features.subscriptionCounts {
            app.hub.announceDueCounts(of: app.application, now: self.now)
        }
    }

    /// The value of a `Date` field (RFC 9110 section 5.6.7), made once a second.
    var httpDate: String {
        var seconds = time(nil)
        if seconds != self.dateSecond {
            var parts = tm()
            gmtime_r(&seconds, &parts)
            self.date = withUnsafeTemporaryAllocation(of: CChar.self, capacity: 64) { buffer in
                let length = strftime(buffer.baseAddress, buffer.count, "%a, %d %b %Y %H:%M:%S GMT", &parts)
                return String(decoding: UnsafeRawBufferPointer(buffer).prefix(length), as: UTF8.self)
            }
            self.dateSecond = seconds
        }
        return self.date
    }

    // MARK: Reload

    /// Serves these apps from now on. Clients of an app that is disabled or gone are closed; the others notice nothing.
    /// The future completes when the last client has the new settings.
    func serve(_ apps: ServedApps) -> EventLoopFuture<Void> {
        self.apps = apps
        let served = self.eventLoop.makePromise(of: Void.self)
        var rest = self.wheel.members
        self.inPieces { isTimeUp in
            while let connection = rest.popLast() {
                // Other apps, when there was a reload meanwhile.
                connection.appsChanged(to: self.apps)
                if isTimeUp() { return false }
            }
            served.succeed()
            return true
        }
        return served.futureResult
    }

    // MARK: Shutdown

    /// Says goodbye to every connection, to the clients at the pace of `DrainPace`; the future completes when the last
    /// one has gone.
    func shutDown() -> EventLoopFuture<Void> {
        self.isShuttingDown = true
        let emptied = self.eventLoop.makePromise(of: Void.self)
        self.emptied = emptied
        self.leaving = []
        for connection in self.wheel.members {
            if connection.socketID == nil { connection.shutDown() } else { self.leaving.append(connection) }
        }
        self.sendAway(
            DrainPace(
                clients: self.leaving.count, over: self.configuration.timeouts.drain,
                loops: self.configuration.eventLoops))
        self.completeShutdown()
        return emptied.futureResult
    }

    /// Sends some clients away, and later the next ones.
    private func sendAway(_ pace: DrainPace) {
        var count = 0
        while count < pace.clientsPerStep, let connection = self.leaving.popLast() {
            // One that has gone by itself is none of the step's.
            guard connection.socketID != nil else { continue }
            connection.shutDown()
            count += 1
        }
        self.settle()
        guard !self.leaving.isEmpty else { return }
        self.eventLoop.assumeIsolated().scheduleTask(in: .init(pace.pause)) { self.sendAway(pace) }
    }

    /// Ends whoever has not gone by itself, and the loop's timer.
    func abandonConnections() {
        self.leaving = []
        for connection in self.wheel.members { connection.abandon() }
        self.ticks?.cancel()
        self.ticks = nil
        self.report.pulse.end()
    }

    func connectionAdded() { self.counts.sockets += 1 }

    func connectionRemoved() {
        self.counts.sockets -= 1
        self.completeShutdown()
    }

    private func completeShutdown() {
        guard self.isShuttingDown, self.counts.sockets == 0 else { return }
        self.emptied?.succeed()
        self.emptied = nil
    }
}
