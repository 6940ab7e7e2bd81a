internal import Glibc
internal import Hummingbird
internal import HummingbirdCore
package import Logging
internal import NIOCore
internal import NIOPosix
package import PusherProtocol
internal import PusherPublisher
internal import ServiceLifecycle
package import Telemetry

/// The ticket API: its listener, its store and the relay that publishes what is stored.
package final class TicketServer: Service {
    /// The port it listens on; the real one when the configuration said 0.
    package let port: Int
    /// Every route it answers, as `GET /tickets/{id}`.
    package let routes: [String]

    private let services: ServiceGroup
    private let running: Task<Void, any Error>
    private let resources: Resources
    private let watch: StoreWatch
    private let loops: LoopPulses

    private init(
        port: Int, routes: [String], services: ServiceGroup, running: Task<Void, any Error>, resources: Resources,
        watch: StoreWatch
    ) {
        self.port = port
        self.routes = routes
        self.services = services
        self.running = running
        self.resources = resources
        self.watch = watch
        self.loops = LoopPulses(.singleton)
    }

    /// Opens and migrates the database, binds the listener and begins to serve.
    ///
    /// Throws `StoreFailure` or `ListenFailure`; the description of either is one line for the operator. Then nothing is
    /// left open.
    package static func bind(
        _ configuration: TicketConfiguration, logger: Logger, environment: TicketEnvironment = .live
    ) async throws -> TicketServer {
        try await self.probe(host: configuration.host, port: configuration.port)
        let resources = try await Resources.open(configuration, environment)
        let sweeper = FileSweeper(store: resources.store, files: resources.files, logger: logger)
        let relay = OutboxRelay(
            store: resources.store, doorbell: resources.doorbell, publisher: resources.publisher,
            names: EventNames(style: configuration.eventStyle, aliases: configuration.eventAliases),
            counts: resources.counts,
            loop: resources.publisherLoop, logger: logger)
        let keeper = TokenKeeper(
            store: resources.store, lifetimes: configuration.lifetimes, now: environment.now, logger: logger)
        let socketSweep = SocketSweep(store: resources.store, now: environment.now, logger: logger)
        let watch = StoreWatch(store: resources.store, limit: configuration.writerLimit)
        let handover = Handover(store: resources.store, now: environment.now, logger: logger)
        let (started, starter) = AsyncThrowingStream<Int, any Error>.makeStream()
        let responder = self.responder(configuration, environment, resources, sweeper, keeper, handover, logger)
        let application = Application(
            responder: responder,
            server: HTTPServerBuilder {
                LoopChannel(http: HTTP1Channel(responder: $0, configuration: Self.http(configuration, resources)))
            },
            configuration: ApplicationConfiguration(address: .hostname(configuration.host, port: configuration.port)),
            onServerRunning: { starter.yield($0.localAddress?.port ?? configuration.port) },
            logger: self.quiet(logger))
        // Shut down from the last to the first: the relay publishes what the last requests stored.
        var group = ServiceGroupConfiguration(
            services: [watch, sweeper, relay, keeper, socketSweep, handover, application], logger: self.quiet(logger))
        // Of the process's ten seconds the broker and the webhooks, which are shut down after this, need their shares.
        group.maximumGracefulShutdownDuration = .seconds(4)
        let services = ServiceGroup(configuration: group)
        let running = Task {
            do {
                try await services.run()
                starter.finish()
            } catch {
                starter.finish(throwing: error)
                throw error
            }
        }
        do {
            for try await port in started {
                return TicketServer(
                    port: port, routes: responder.routes.flatMap(\.names), services: services, running: running,
                    resources: resources, watch: watch)
            }
            throw CancellationError()
        } catch {
            try await resources.close()
            throw ListenFailure(error, host: configuration.host, port: configuration.port)
        }
    }

    /// Serves until graceful shutdown; then stops accepting, finishes the requests, lets the relay publish what is left
    /// for at most three seconds, and closes the store.
    package func run() async throws {
        let result = await withTaskCancellationOrGracefulShutdownHandler {
            await self.running.result
        } onCancelOrGracefulShutdown: {
            Task { await self.services.triggerGracefulShutdown() }
        }
        self.loops.end()
        try await self.resources.close()
        try result.get()
    }

    /// Publishes and signs subscriptions with these from now on. Any thread may call it.
    package func replaceCredentials(with credentials: AppCredentials) {
        self.resources.credentials.replace(with: credentials)
    }

    /// The signs of life of its event loops and of the database's writer.
    package var pulses: [Pulse] { self.loops.pulses + [self.watch.pulse] }

    /// Writes its metrics; those of the outbox as they were at most a second ago. Waits for nothing. Any thread may call
    /// it.
    package func writeMetrics(to text: inout MetricsText) {
        let readings = TicketMetrics.Readings(
            totals: self.resources.counts.totals, connections: self.resources.connections.count,
            uploads: self.resources.uploads.count, outbox: self.watch.outbox, now: .now(),
            store: self.resources.store.counts.totals)
        TicketMetrics.write(readings, to: &text)
    }

    /// Throws when the listener could not be bound. Asked before the database is made or migrated, so that a wrong port
    /// changes nothing; the listener itself is bound when there is something to serve.
    private static func probe(host: String, port: Int) async throws {
        do {
            try await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
                .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
                .bind(host: host, port: port).get()
                .close()
        } catch {
            throw ListenFailure(error, host: host, port: port)
        }
    }

    private static func http(_ configuration: TicketConfiguration, _ resources: Resources) -> HTTP1Channel.Configuration
    {
        let limit = TimeAmount(configuration.idleLimit)
        return HTTP1Channel.Configuration(
            additionalChannelHandlers: [
                ConnectionLimitHandler(quota: resources.connections), StalledReaderHandler(limit: limit),
                RequestBodyHandler(limit: limit),
            ],
            idleTimeout: limit,
            httpDecoderConfiguration: .init(
                maxHeaderFieldSize: 16 << 10, maxHeaderListSize: 32 << 10, maxHeaderFieldCount: 100))
    }

    /// Hummingbird and the service group speak of themselves at `info`; here only their troubles are of interest.
    private static func quiet(_ logger: Logger) -> Logger {
        var logger = logger
        logger.logLevel = max(logger.logLevel, .warning)
        return logger
    }

    private static func responder(
        _ configuration: TicketConfiguration, _ environment: TicketEnvironment, _ resources: Resources,
        _ sweeper: FileSweeper, _ keeper: TokenKeeper, _ handover: Handover, _ logger: Logger
    ) -> TicketResponder {
        let store = resources.store
        let now = environment.now
        let (passwords, throttle) = (resources.passwords, LoginThrottle())
        let sessions = Sessions(store: store, lifetimes: configuration.lifetimes, keeper: keeper, now: now)
        let cookieMode = CookieMode(csrfKey: resources.csrfKey)
        let readTickets = ReadTickets(store: store)
        let grants = SocketGrants(store: store, now: now)
        let routes = TicketRoutes.table(
            health: HealthEndpoint(store: store),
            accounts: AccountEndpoints(
                registerAccount: RegisterAccount(store: store, passwords: passwords, now: now),
                login: LogIn(store: store, passwords: passwords, throttle: throttle, now: now),
                passwordChange: ChangePassword(store: store, passwords: passwords, throttle: throttle, now: now),
                sessions: sessions, cookieMode: cookieMode),
            tokens: TokenEndpoints(sessions: sessions),
            tickets: TicketEndpoints(
                openTicket: OpenTicket(store: store, files: resources.files, now: now), readTickets: readTickets,
                updateTicket: UpdateTicket(store: store, onDelete: sweeper.ring, now: now)),
            chat: ChatEndpoints(
                readTickets: readTickets, postMessage: PostMessage(store: store, files: resources.files, now: now),
                markRead: MarkRead(store: store)),
            attachments: AttachmentEndpoint(readTickets: readTickets, files: resources.files),
            comments: CommentEndpoints(
                comments: Comments(store: store, now: now), readActivity: ReadActivity(store: store)),
            realtime: RealtimeAuthEndpoint(
                authorizeChannel: AuthorizeChannel(grants: grants, credentials: resources.credentials),
                authenticateUser: AuthenticateUser(grants: grants, credentials: resources.credentials)),
            admin: AdminEndpoints(
                manageUsers: ManageUsers(store: store, handover: handover),
                readStatistics: ReadStatistics(store: store, now: now)))
        let requestThrottle = RequestThrottle(
            perUser: configuration.requestsPerMinutePerUser, perAddress: configuration.requestsPerMinutePerAddress,
            now: now)
        return TicketResponder(
            routes: routes, sessions: sessions, cookieMode: cookieMode, files: resources.files,
            throttle: requestThrottle, proxies: TrustedProxies(ranges: configuration.trustedProxies),
            crossOrigin: CrossOriginPolicy(configuration.allowedOrigins), uploads: resources.uploads,
            counts: resources.counts, logger: logger)
    }
}

/// What the server opens, and closes when it is done.
private struct Resources: Sendable {
    let lock: InstanceLock
    let doorbell: OutboxDoorbell
    let store: TicketStore
    let files: AttachmentFiles
    let csrfKey: [UInt8]
    let passwords: PasswordHasher
    let credentials: LiveCredentials
    let publisherLoop: any EventLoop
    let publisher: HTTPEventPublisher
    let connections: Quota
    let uploads: Quota
    let counts = TicketCounts()

    static func open(_ configuration: TicketConfiguration, _ environment: TicketEnvironment) async throws -> Resources {
        try await NIOThreadPool.singleton.runIfActive {
            try DatabaseFile(dataDirectory: configuration.dataDirectory).verify()
            let lock = try InstanceLock(dataDirectory: configuration.dataDirectory)
            let doorbell = OutboxDoorbell()
            let store = try TicketStore.open(dataDirectory: configuration.dataDirectory, onNews: doorbell.ring)
            let files = try AttachmentFiles(dataDirectory: configuration.dataDirectory)
            try store.removeLeftovers(of: files)
            let credentials = LiveCredentials(configuration.credentials)
            let threads = min(4, max(1, System.coreCount))
            let loop = MultiThreadedEventLoopGroup.singleton.next()
            return Resources(
                lock: lock, doorbell: doorbell, store: store, files: files, csrfKey: try store.csrfKey(),
                passwords: try PasswordHasher(cost: environment.passwordCost, threads: threads),
                credentials: credentials, publisherLoop: loop,
                publisher: HTTPEventPublisher(
                    target: configuration.publishTarget, credentials: credentials, loop: loop),
                connections: Quota(limit: configuration.maxConnections),
                uploads: Quota(limit: configuration.maxUploads))
        }
    }

    func close() async throws {
        try await self.publisher.shutdown()
        try await self.passwords.shutdown()
        try await self.files.shutdown()
        try await NIOThreadPool.singleton.runIfActive { try self.store.close() }
    }
}

/// The listener could not be bound. The text is one line for the operator.
package struct ListenFailure: Error, CustomStringConvertible {
    package let description: String

    init(_ error: any Error, host: String, port: Int) {
        let cause =
            switch (error as? IOError)?.errnoCode {
            case EADDRINUSE?: "the port is in use"
            case EACCES?: "permission denied"
            case EADDRNOTAVAIL?: "the address is not one of this machine"
            default: "\(error)"
            }
        self.description = "The ticket API cannot listen on \(host):\(port): \(cause)."
    }
}
