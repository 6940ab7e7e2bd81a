package import BrokerCore
package import Logging
import Glibc
import NIOCore
import ServiceLifecycle
import Synchronization
package import Telemetry

/// Why the listener could not be bound; `description` is one line for the operator.
package struct BindFailure: Error, CustomStringConvertible {
    package let description: String

    init(host: String, port: Int, error: any Error) {
        let address = "\(host):\(port)"
        switch (error as? IOError)?.errnoCode {
        case EADDRINUSE:
            self.description = "broker: \(address) is in use by another program; choose another BROKER_PORT"
        case EADDRNOTAVAIL: self.description = "broker: \(address) is not an address of this machine; check BROKER_HOST"
        case EACCES: self.description = "broker: no permission to listen on \(address); ports below 1024 need it"
        default: self.description = "broker: cannot listen on \(address): \(error)"
        }
    }
}

/// The broker: one listener for WebSocket clients and for the HTTP API.
package final class Broker: Service {
    /// The port it listens on; the real one when the configuration said 0.
    package let port: Int
    /// What held up each event loop.
    package let slowTurns: [SlowTurns]

    private let listening: Listening
    private let hasRun = Atomic<Bool>(false)
    private let group: LoopGroup
    private let loops: [NIOLoopBound<LoopContext>]
    private let inboxes: [LoopInbox]
    private let reports: [LoopReport]
    private let apps: AppRegistry
    private let configuration: BrokerConfiguration
    private let logger: Logger

    private init(
        listening: Listening, group: LoopGroup, loops: [NIOLoopBound<LoopContext>], inboxes: [LoopInbox],
        reports: [LoopReport], apps: AppRegistry, slowTurns: [SlowTurns], configuration: BrokerConfiguration,
        logger: Logger
    ) {
        self.port = listening.port
        self.listening = listening
        self.group = group
        self.loops = loops
        self.inboxes = inboxes
        self.reports = reports
        self.apps = apps
        self.slowTurns = slowTurns
        self.configuration = configuration
        self.logger = logger
    }

    /// One that nobody ran, since another part could not start, has a listener to close.
    deinit {
        if !self.hasRun.load(ordering: .relaxed) { self.listening.close() }
    }

    /// Binds the listener; connections are served from here on. Throws a `BindFailure` or a `TLSFailure`.
    package static func bind(_ configuration: BrokerConfiguration, logger: Logger) async throws -> Broker {
        var tls: TLSIdentity?
        if let files = configuration.tls {
            tls = try await TLSIdentity.load(files, configuration: configuration, logger: logger)
        }
        let quota = ConnectionQuota(limit: configuration.maxConnections)
        let addresses = AddressQuota(limit: configuration.maxConnectionsPerAddress)
        let group: LoopGroup
        do {
            group = try LoopGroup(count: configuration.eventLoops, usesTLS: tls != nil)
        } catch {
            throw BindFailure(host: configuration.host, port: configuration.port, error: error)
        }
        do {
            let eventLoops = group.loops
            let inboxes = eventLoops.map { LoopInbox(eventLoop: $0) }
            let reports = eventLoops.indices.map { LoopReport(loop: $0) }
            let apps = AppRegistry(
                inboxes: inboxes, maxInboxBytes: configuration.maxInboxBytes, webhooks: configuration.webhooks)
            let slowTurns = eventLoops.map { _ in SlowTurns() }
            let served = apps.replace(with: configuration.applications) { $0 }
            var loops: [NIOLoopBound<LoopContext>] = []
            for (index, eventLoop) in eventLoops.enumerated() {
                let loop = try await eventLoop.submit { [tls] in
                    let context = LoopContext(
                        index: index, eventLoop: eventLoop, configuration: configuration, apps: served,
                        inbox: inboxes[index], report: reports[index], quota: quota, addresses: addresses,
                        slowTurns: slowTurns[index], logger: logger)
                    context.tls = tls
                    inboxes[index].onDelivery(context.start())
                    return NIOLoopBound(context, eventLoop: eventLoop)
                }.get()
                loops.append(loop)
            }
            let listening = try await group.listen(host: configuration.host, port: configuration.port, contexts: loops)
            return Broker(
                listening: listening, group: group, loops: loops, inboxes: inboxes, reports: reports, apps: apps,
                slowTurns: slowTurns, configuration: configuration, logger: logger)
        } catch {
            try await group.shutDown()
            throw BindFailure(host: configuration.host, port: configuration.port, error: error)
        }
    }

    /// Throws the `TLSFailure` that `bind` would throw.
    package static func checkTLS(_ configuration: BrokerConfiguration, logger: Logger) async throws {
        guard let files = configuration.tls else { return }
        _ = try await TLSIdentity.load(files, configuration: configuration, logger: logger)
    }

    /// Serves these apps instead of the present ones, without dropping a connection but those of apps that are disabled
    /// (4003) or gone (4001). Returns when every loop serves them.
    package func reload(_ applications: [Application]) async {
        let loops = self.apps.replace(with: applications) { served in
            self.loops.map { loop in loop.eventLoop.flatSubmit { loop.value.serve(served) } }
        }
        // The loops run until `run` has returned, and what they are asked to do cannot fail.
        try? await EventLoopFuture.andAllComplete(loops, on: self.group.loops[0]).get()
    }

    /// Whether its port speaks TLS, too.
    package var hasTLS: Bool { self.configuration.tls != nil }

    /// Reads the certificate and its key again and serves new connections with them. Throws a `TLSFailure` when they
    /// cannot be served with, and then those of before stay; a `CancellationError` when the task was cancelled
    /// meanwhile. A broker that was started without stays without.
    package func reloadTLS() async throws {
        guard let files = self.configuration.tls else { return }
        let tls = try await TLSIdentity.load(files, configuration: self.configuration, logger: self.logger)
        try Task.checkCancellation()
        let loops = self.loops.map { loop in loop.eventLoop.submit { loop.value.tls = tls } }
        // As in `reload`.
        try? await EventLoopFuture.andAllComplete(loops, on: self.group.loops[0]).get()
    }

    /// The signs of life of its event loops.
    package var pulses: [Pulse] { self.reports.map(\.pulse) }

    /// Writes its metrics, as they were at most a quarter of a second ago. Waits for no event loop. Any thread may call it.
    package func writeMetrics(to text: inout MetricsText) {
        let loops = zip(zip(self.reports, self.inboxes), self.slowTurns).map { loop, turns in
            BrokerMetrics.Loop(counts: loop.0.latest, queueBytes: loop.1.bytes, turns: turns)
        }
        BrokerMetrics.write(apps: self.apps.served.all, loops: loops, to: &text)
    }

    /// Serves until graceful shutdown is asked for, or the task is cancelled. Then stops accepting, finishes requests,
    /// closes every WebSocket with 4200, at the pace that the configuration says, and returns when all have gone or the
    /// time for it is over.
    package func run() async throws {
        self.hasRun.store(true, ordering: .relaxed)
        try await withTaskCancellationOrGracefulShutdownHandler {
            try await self.listening.closed.get()
        } onCancelOrGracefulShutdown: {
            self.listening.close()
        }
        await self.closeConnections()
        try await self.group.shutDown()
    }

    private func closeConnections() async {
        let emptied = EventLoopFuture.andAllComplete(
            self.loops.map { loop in loop.eventLoop.flatSubmit { loop.value.shutDown() } },
            on: self.group.loops[0])
        let timeouts = self.configuration.timeouts
        let deadline = self.group.loops[0].scheduleTask(in: .init(timeouts.drain + timeouts.shutdown)) {
            for loop in self.loops { loop.eventLoop.execute { loop.value.abandonConnections() } }
        }
        // Completes either way, and cannot fail.
        try? await emptied.get()
        deadline.cancel()
    }
}
