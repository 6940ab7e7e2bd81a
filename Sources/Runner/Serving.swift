import Broker
import BrokerCore
import Logging
import PusherProtocol
import PusherPublisher
import ServiceLifecycle
import Telemetry
import TicketAPI
import UnixSignals
import Webhooks

/// One run of `serve`: from the settings to the services, and through their lives.
struct Serving {
    let part: Serve.Part?
    let settings: Settings
    /// What the settings were made from, for those of them that are read again.
    let sources: SettingSources
    let logger: Logger

    private var servesBroker: Bool { self.part != .tickets }
    private var servesTickets: Bool { self.part != .broker }
    /// The demo is accounts and tickets: the broker alone has nothing to plant.
    private var plantsDemo: Bool { self.settings.demo && self.servesTickets }

    func run(reloadingAt signals: UnixSignalsSequence) async throws {
        // Everything that can be refused is refused before the first file is made.
        try self.refusePublicDemo()
        if self.servesBroker {
            try ListenCheck.refuseTaken(
                self.settings.brokerHost, self.settings.brokerPort,
                settings: (SettingTable.brokerHost.row, SettingTable.brokerPort.row))
            // Silent: what is doubtful is said when the broker reads them.
            try await self.settings.checkTLS(Logger(label: "broker") { _ in SwiftLogNoOpLogHandler() })
        }
        if self.servesTickets {
            try ListenCheck.refuseTaken(
                self.settings.ticketsHost, self.settings.ticketsPort,
                settings: (SettingTable.ticketsHost.row, SettingTable.ticketsPort.row))
        }
        try ListenCheck.refuseTaken(
            self.settings.opsHost, self.settings.opsPort,
            settings: (SettingTable.opsHost.row, SettingTable.opsPort.row))

        var directory: DataDirectory?
        if self.servesTickets || self.settings.app == nil {
            directory = try DataDirectory(path: self.settings.dataDirectory)
        }
        let selection = try AppSelection(self.settings, in: directory)
        if self.servesTickets, !selection.ticketsApp.application.isEnabled {
            self.logger.warning(
                "the ticket API's app is disabled: what it publishes waits",
                metadata: [
                    "app": "\(selection.ticketsApp.title)"
                ])
        }

        var services: [any Service] = []
        var webhooks: WebhookDispatcher?
        if self.servesBroker, let directory, self.settings.apps != nil {
            let dispatcher = self.webhookDispatcher(selection, in: directory)
            services.append(dispatcher)
            webhooks = dispatcher
        }
        var broker: Broker?
        if self.servesBroker {
            let bound = try await self.bindBroker(selection, webhooks: webhooks)
            services.append(bound)
            broker = bound
        }
        var tickets: TicketServer?
        if self.servesTickets, let directory {
            let bound = try await self.bindTickets(selection.ticketsApp.credentials, in: directory, broker: broker)
            services.append(bound)
            tickets = bound
        }
        _ = ProcessMetrics.startTime
        let health = Health(pulses: (broker?.pulses ?? []) + (tickets?.pulses ?? []))
        let ops = try await self.bindOps(health, broker: broker, webhooks: webhooks, tickets: tickets)
        services.insert(ops, at: 0)
        services.append(
            Reloading(
                signals: signals, sources: self.sources, broker: broker, webhooks: webhooks, tickets: tickets,
                ticketsAppID: selection.ticketsApp.id, logger: self.logger))
        let greeting = Greeting(
            broker: broker.map { Greeting.Listener(host: self.settings.brokerHost, port: $0.port) },
            brokerHasTLS: self.settings.tls != nil,
            tickets: tickets.map { Greeting.Listener(host: self.settings.ticketsHost, port: $0.port) },
            ops: Greeting.Listener(host: self.settings.opsHost, port: ops.port),
            appCount: selection.apps.count, appID: selection.ticketsApp.id,
            appKey: selection.ticketsApp.credentials.key, secretPlace: selection.secretPlace,
            showsDemo: self.plantsDemo)
        // Shut down in reverse order: the doorman says that the server is not ready any more and starts the clock, the
        // ticket API publishes what it has, the broker sends its clients away, the webhooks tell of it, and the port for
        // operators answers until the end.
        services.append(Doorman(greeting: greeting, health: health, drain: self.settings.drain))
        // Below `warning` the group describes its services in full, the settings with their secrets included.
        var groupLogger = self.logger
        groupLogger.logLevel = max(groupLogger.logLevel, .warning)
        let group = ServiceGroup(
            configuration: .init(
                services: services, gracefulShutdownSignals: [.sigterm, .sigint], logger: groupLogger))
        do {
            try await group.run()
        } catch {
            throw StartFailure.unavailable("stopped serving: \(error)")
        }
    }

    /// The demo's passwords are in the README.
    private func refusePublicDemo() throws(StartFailure) {
        guard self.plantsDemo else { return }
        var hosts = [(SettingTable.ticketsHost.row, self.settings.ticketsHost)]
        if self.servesBroker { hosts.append((SettingTable.brokerHost.row, self.settings.brokerHost)) }
        for (row, host) in hosts where !ListenCheck.isLoopback(host) {
            throw .configuration(
                "\(row.name) is \"\(host)\": the demo has well-known passwords and is served on loopback addresses only "
                    + "(127.0.0.1, ::1, localhost)")
        }
    }

    private func webhookDispatcher(_ selection: AppSelection, in directory: DataDirectory) -> WebhookDispatcher {
        let logger = Logger(label: "webhooks")
        let configuration = WebhookConfiguration()
        return WebhookDispatcher(
            apps: selection.apps.map(\.webhookApp),
            deadLetters: DeadLetterBox(
                directory: DataDirectory.deadLetters(in: directory.path), configuration: configuration, logger: logger),
            configuration: configuration, logger: logger)
    }

    private func bindBroker(_ selection: AppSelection, webhooks: WebhookDispatcher?) async throws -> Broker {
        var configuration = self.settings.brokerConfiguration(selection.apps.map(\.application))
        configuration.webhooks = webhooks
        do {
            return try await Broker.bind(configuration, logger: Logger(label: "broker"))
        } catch {
            throw StartFailure.unavailable("the broker cannot start: \(error)")
        }
    }

    private func bindTickets(
        _ credentials: AppCredentials, in directory: DataDirectory, broker: Broker?
    ) async throws -> TicketServer {
        let target = try self.settings.externalTarget ?? self.ownTarget(broker)
        var configuration = TicketConfiguration(
            host: self.settings.ticketsHost, port: self.settings.ticketsPort, dataDirectory: directory.path,
            credentials: credentials, publishTarget: target, eventStyle: self.settings.eventStyle,
            eventAliases: self.settings.eventAliases)
        configuration.lifetimes = self.settings.tokenLifetimes
        configuration.allowedOrigins = self.settings.ticketsAllowedOrigins
        configuration.trustedProxies = self.settings.trustedProxies
        configuration.requestsPerMinutePerUser = self.settings.requestsPerUser
        configuration.requestsPerMinutePerAddress = self.settings.requestsPerAddress
        configuration.maxConnections = self.settings.ticketsMaxConnections
        configuration.maxUploads = self.settings.ticketsMaxUploads
        do {
            if self.plantsDemo { try await DemoSeed.plant(dataDirectory: directory.path) }
            return try await TicketServer.bind(configuration, logger: Logger(label: "tickets"))
        } catch {
            throw StartFailure.unavailable("the ticket API cannot start: \(error)")
        }
    }

    private func bindOps(
        _ health: Health, broker: Broker?, webhooks: WebhookDispatcher?, tickets: TicketServer?
    ) async throws -> OpsServer {
        do {
            return try await OpsServer.bind(host: self.settings.opsHost, port: self.settings.opsPort, health: health) {
                var text = MetricsText()
                ProcessMetrics.write(health, to: &text)
                broker?.writeMetrics(to: &text)
                webhooks?.writeMetrics(to: &text)
                tickets?.writeMetrics(to: &text)
                return text.text
            }
        } catch {
            throw StartFailure.unavailable(
                "cannot listen on \(self.settings.opsHost) (\(SettingTable.opsHost.row.name)), port "
                    + "\(self.settings.opsPort) (\(SettingTable.opsPort.row.name)): \(error)")
        }
    }

    /// The broker of these settings: the one in this process at its real port, or the one that another process serves.
    private func ownTarget(_ broker: Broker?) throws(StartFailure) -> PublishTarget {
        let port = broker?.port ?? self.settings.brokerPort
        guard port != 0 else {
            throw .configuration("PUSHER_PORT is missing: the ticket API alone cannot know which port a broker took")
        }
        return PublishTarget(scheme: .http, host: Settings.reachable(self.settings.brokerHost), port: port)
    }
}
