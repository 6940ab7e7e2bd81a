import Broker
import BrokerCore
import Dispatch
import Logging
import ServiceLifecycle
import TicketAPI
import UnixSignals
import Webhooks

/// Reads the configuration file again at each SIGHUP, one after the other, and puts its apps in the place of the present
/// ones. What is wrong with the file changes nothing.
struct Reloading: Service {
    /// Trapped since before the start, so that no signal is missed or ends the process.
    let signals: UnixSignalsSequence
    /// What the run was started with.
    let sources: SettingSources
    let broker: Broker?
    let webhooks: WebhookDispatcher?
    let tickets: TicketServer?
    let ticketsAppID: String
    let logger: Logger

    func run() async throws {
        var apps = self.sources.apps?.apps ?? []
        for await _ in self.signals.cancelOnGracefulShutdown() {
            do {
                apps = try await self.reload(apps)
            } catch is CancellationError {
                return
            } catch {
                self.logger.error("reload refused, everything stays as it was: \(error)")
            }
        }
    }

    /// Gives back the apps that are served from now on.
    private func reload(_ present: [ConfiguredApp]) async throws -> [ConfiguredApp] {
        guard let path = self.sources.file?.path else {
            try await self.reloadTLS()
            self.logger.info("nothing to reload: there is no configuration file (--config)")
            return present
        }
        let sources = try await self.read(path)
        guard let list = sources.apps else {
            try await self.reloadTLS()
            self.logger.info("nothing to reload: \(path) lists no apps")
            self.warn(sources)
            return present
        }
        let ticketsApp = list.apps.first { $0.id == self.ticketsAppID }
        if self.tickets != nil, ticketsApp == nil {
            throw StartFailure.configuration(
                "the ticket API uses app \(Quoted.text(self.ticketsAppID)), which is none of the \(list.origin); to take "
                    + "it out, set \(SettingTable.ticketsApp.row.configKey) to another one and restart")
        }
        try await self.reloadTLS()
        // Another part has failed while the files were read: the broker may be gone.
        try Task.checkCancellation()
        // From here on nothing can fail. The webhooks first: the broker tells of a new app's channels at once.
        self.webhooks?.reload(list.apps.map(\.webhookApp))
        await self.broker?.reload(list.apps.map(\.application))
        if let ticketsApp { self.tickets?.replaceCredentials(with: ticketsApp.credentials) }
        self.logger.info("reloaded \(path): \(AppChanges(from: present, to: list.apps))")
        self.warn(sources)
        return list.apps
    }

    private func reloadTLS() async throws {
        guard let broker = self.broker, broker.hasTLS else { return }
        try await broker.reloadTLS()
        self.logger.info("read the TLS certificate and its key again")
    }

    /// The file's present content, checked as at the start. Read on a queue: neither files nor a long list may hold the
    /// threads of the concurrency pool.
    private func read(_ path: String) async throws -> SettingSources {
        try await withCheckedThrowingContinuation { continuation in
            DispatchQueue.global().async {
                continuation.resume(with: Result { try self.sources.reread(path) })
            }
        }
    }

    private func warn(_ sources: SettingSources) {
        let changed = SettingTable.rows.filter { !sources.agrees(with: self.sources, on: $0) }.map(\.configKey)
        if !changed.isEmpty {
            self.logger.warning("changed, but in force only after a restart: \(changed.joined(separator: ", "))")
        }
        sources.file?.warnOfExposure(self.logger)
    }
}

extension SettingSources {
    /// These flags and environment with the file of today.
    fileprivate func reread(_ path: String) throws(StartFailure) -> SettingSources {
        let sources = self.with(try ConfigurationFile(path: path))
        // Every setting is checked, also those that need a restart: a mistake shows when it is made.
        _ = try Settings(sources)
        guard (self.apps == nil) == (sources.apps == nil) else {
            let what = self.apps == nil ? "a list of apps is new in" : "the list of apps is gone from"
            throw .configuration("\(what) \(path); that needs a restart")
        }
        return sources
    }
}

/// What a reload did, in numbers.
struct AppChanges: CustomStringConvertible {
    private let total: Int
    private var new = 0
    private var changed = 0
    private var disabled = 0
    private var removed = 0

    init(from old: [ConfiguredApp], to new: [ConfiguredApp]) {
        let before = Dictionary(old.map { ($0.id, $0) }) { first, _ in first }
        self.total = new.count
        self.removed = Set(before.keys).subtracting(new.map(\.id)).count
        for app in new {
            guard let former = before[app.id] else {
                self.new += 1
                continue
            }
            if former.application.isEnabled, !app.application.isEnabled {
                self.disabled += 1
            } else if former.fingerprint != app.fingerprint {
                self.changed += 1
            }
        }
    }

    var description: String {
        "\(self.total) app\(self.total == 1 ? "" : "s") (\(self.new) new, \(self.changed) changed, "
            + "\(self.disabled) disabled, \(self.removed) removed)"
    }
}
