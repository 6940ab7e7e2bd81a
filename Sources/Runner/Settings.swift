import Addresses
import Broker
import BrokerCore
import Foundation
import Logging
import PusherPublisher
import TicketAPI

/// Every setting with its value: checked, and constant from here on.
struct Settings: Sendable {
    let brokerHost: String
    let brokerPort: Int
    let brokerEventLoops: Int
    let brokerAllowedOrigins: Set<String>?
    /// nil for any number.
    let brokerMaxConnections: Int?
    /// Likewise.
    let brokerMaxConnectionsPerAddress: Int?
    /// Seconds.
    let brokerActivityTimeout: Int
    let tls: TLSFiles?
    let trustedProxies: [CIDR]
    let ticketsHost: String
    let ticketsPort: Int
    let ticketsAllowedOrigins: Set<WebOrigin>
    let tokenLifetimes: TokenLifetimes
    /// nil for any number, both.
    let requestsPerUser: Int?
    let requestsPerAddress: Int?
    let ticketsMaxConnections: Int
    let ticketsMaxUploads: Int
    let dataDirectory: String
    let eventStyle: EventStyle
    /// By the event's plain name.
    let eventAliases: [String: String]
    /// The list of apps; nil when there is one app, given or generated.
    let apps: AppList?
    /// The index of the ticket API's app in the list.
    let ticketsAppIndex: Int
    let app: GivenApp?
    let clientEvents: Bool
    /// nil for any number.
    let clientEventsPerSecond: Int?
    /// Where the ticket API publishes when the operator said so; nil for the broker of these settings.
    let externalTarget: PublishTarget?
    let opsHost: String
    let opsPort: Int
    let drain: Duration
    let demo: Bool
    let logLevel: Logger.Level
    let logFormat: LogFormat

    /// An app whose credentials the operator gave; complete.
    struct GivenApp: Sendable {
        let id: String
        let key: String
        let secret: String
        /// Where the secret was given, in words.
        let secretOrigin: String
    }

    init(_ sources: SettingSources) throws(StartFailure) {
        self.brokerHost = try sources.required(SettingTable.brokerHost)
        self.brokerPort = try sources.required(SettingTable.brokerPort)
        self.brokerEventLoops =
            try sources.value(of: SettingTable.brokerEventLoops)
            ?? min(64, max(1, ProcessInfo.processInfo.activeProcessorCount))
        self.brokerAllowedOrigins = try sources.required(SettingTable.brokerAllowedOrigins)
        self.ticketsHost = try sources.required(SettingTable.ticketsHost)
        self.ticketsPort = try sources.required(SettingTable.ticketsPort)
        self.ticketsAllowedOrigins = try sources.value(of: SettingTable.ticketsAllowedOrigins) ?? []
        let tokenLifetime = try sources.required(SettingTable.tokenLifetime)
        let tokenIdleLifetime = try sources.required(SettingTable.tokenIdleLifetime)
        self.tokenLifetimes = TokenLifetimes(
            token: tokenLifetime == 0 ? nil : Int64(tokenLifetime) * 60,
            idleToken: tokenIdleLifetime == 0 ? nil : Int64(tokenIdleLifetime) * 60,
            idleSession: Int64(try sources.required(SettingTable.sessionLifetime)) * 60)
        let perUser = try sources.required(SettingTable.requestsPerUser)
        self.requestsPerUser = perUser == 0 ? nil : perUser
        let perAddress = try sources.required(SettingTable.requestsPerAddress)
        self.requestsPerAddress = perAddress == 0 ? nil : perAddress
        self.ticketsMaxConnections = try sources.required(SettingTable.ticketsMaxConnections)
        self.ticketsMaxUploads = try sources.required(SettingTable.ticketsMaxUploads)
        self.dataDirectory = try sources.required(SettingTable.dataDirectory)
        self.eventStyle = try sources.required(SettingTable.eventStyle)
        self.eventAliases = try sources.value(of: SettingTable.eventAliases) ?? [:]
        let maxConnections = try sources.required(SettingTable.brokerMaxConnections)
        self.brokerMaxConnections = maxConnections == 0 ? nil : maxConnections
        let perNetworkAddress = try sources.required(SettingTable.brokerMaxConnectionsPerAddress)
        self.brokerMaxConnectionsPerAddress = perNetworkAddress == 0 ? nil : perNetworkAddress
        self.brokerActivityTimeout = try sources.required(SettingTable.brokerActivityTimeout)
        self.tls = try Self.tls(sources)
        self.trustedProxies = try sources.value(of: SettingTable.trustedProxies) ?? []
        try Self.refuseTwoWays(sources)
        self.apps = sources.apps
        self.app = try Self.app(sources)
        self.ticketsAppIndex = try Self.ticketsAppIndex(sources)
        self.clientEvents = try sources.required(SettingTable.clientEvents)
        let perSecond = try sources.required(SettingTable.clientEventsPerSecond)
        self.clientEventsPerSecond = perSecond == 0 ? nil : perSecond
        self.externalTarget = try Self.externalTarget(sources)
        self.opsHost = try sources.required(SettingTable.opsHost)
        self.opsPort = try sources.required(SettingTable.opsPort)
        self.drain = try sources.required(SettingTable.drain)
        self.demo = try sources.required(SettingTable.demo)
        self.logLevel = try sources.required(SettingTable.logLevel)
        self.logFormat = try sources.required(SettingTable.logFormat)
    }

    /// What the broker is told, with these apps.
    func brokerConfiguration(_ applications: [Application]) -> BrokerConfiguration {
        var configuration = BrokerConfiguration(
            host: self.brokerHost, port: self.brokerPort, eventLoops: self.brokerEventLoops, applications: applications)
        configuration.tls = self.tls
        configuration.trustedProxies = self.trustedProxies
        configuration.maxConnections = self.brokerMaxConnections
        configuration.maxConnectionsPerAddress = self.brokerMaxConnectionsPerAddress
        configuration.timeouts.drain = self.drain
        configuration.keepAlive = KeepAlive.Timing(activityTimeout: self.brokerActivityTimeout)
        return configuration
    }

    /// Throws when the broker could not serve with the TLS files. What is only doubtful is logged.
    func checkTLS(_ logger: Logger) async throws(StartFailure) {
        do {
            try await Broker.checkTLS(self.brokerConfiguration([]), logger: logger)
        } catch {
            throw .configuration("\(error)")
        }
    }

    /// Both files, or none.
    private static func tls(_ sources: SettingSources) throws(StartFailure) -> TLSFiles? {
        let certificate = try sources.value(of: SettingTable.tlsCertificate)
        let key = try sources.value(of: SettingTable.tlsKey)
        if let certificate, let key { return TLSFiles(certificate: certificate, key: key) }
        guard certificate != nil || key != nil else { return nil }
        let (given, missing) =
            certificate == nil
            ? (SettingTable.tlsKey.row, SettingTable.tlsCertificate.row)
            : (SettingTable.tlsCertificate.row, SettingTable.tlsKey.row)
        throw .configuration(
            "\(missing.name) is missing: TLS needs both TLS_CERTIFICATE and TLS_KEY (given: "
                + "\(sources.origin(of: given) ?? ""))")
    }

    /// The settings of the single app make no sense beside a list of apps.
    private static func refuseTwoWays(_ sources: SettingSources) throws(StartFailure) {
        guard let list = sources.apps else { return }
        let alternatives = [
            (SettingTable.appID.row, AppTable.id.row), (SettingTable.appKey.row, AppTable.key.row),
            (SettingTable.appSecret.row, AppTable.secret.row),
            (SettingTable.clientEvents.row, AppTable.clientEvents.row),
            (SettingTable.clientEventsPerSecond.row, AppTable.clientEventsPerConnection.row),
            (SettingTable.brokerAllowedOrigins.row, AppTable.allowedOrigins.row),
        ]
        for (single, listed) in alternatives {
            guard let origin = sources.origin(of: single) else { continue }
            throw .configuration(
                "\(origin) is of the single app, but there is a list of \(list.origin): remove \(single.name) and give "
                    + "\(listed.key) to the app in the list, or remove the list")
        }
    }

    private static func ticketsAppIndex(_ sources: SettingSources) throws(StartFailure) -> Int {
        guard let id = try sources.value(of: SettingTable.ticketsApp) else { return 0 }
        let origin = sources.origin(of: SettingTable.ticketsApp.row) ?? ""
        guard let list = sources.apps else {
            throw .configuration(
                "\(origin) is \(Quoted.text(id)), but there is no list of apps: remove it, or add apps to the file")
        }
        guard let index = list.apps.firstIndex(where: { $0.id == id }) else {
            throw .configuration("\(origin) is \(Quoted.text(id)), which is the id of none of the \(list.origin)")
        }
        return index
    }

    /// All three of an app's credentials, or none.
    private static func app(_ sources: SettingSources) throws(StartFailure) -> GivenApp? {
        let id = try sources.value(of: SettingTable.appID)
        let key = try sources.value(of: SettingTable.appKey)
        let secret = try sources.value(of: SettingTable.appSecret)
        if let id, let key, let secret {
            let origin = sources.origin(of: SettingTable.appSecret.row) ?? ""
            return GivenApp(id: id, key: key, secret: secret, secretOrigin: origin)
        }
        let parts = [
            (SettingTable.appID.row, id != nil), (SettingTable.appKey.row, key != nil),
            (SettingTable.appSecret.row, secret != nil),
        ]
        let given = parts.filter(\.1).map(\.0)
        guard !given.isEmpty else { return nil }
        let missing = parts.filter { !$0.1 }.map(\.0.name).joined(separator: " and ")
        let origins = given.compactMap { sources.origin(of: $0) }.joined(separator: ", ")
        throw .configuration(
            "\(missing) missing: an app needs all of PUSHER_APP_ID, PUSHER_APP_KEY and PUSHER_APP_SECRET, or none of "
                + "them (given: \(origins))")
    }

    private static func externalTarget(_ sources: SettingSources) throws(StartFailure) -> PublishTarget? {
        let host = try sources.value(of: SettingTable.pusherHost)
        let port = try sources.value(of: SettingTable.pusherPort)
        let scheme = try sources.required(SettingTable.pusherScheme)
        guard host != nil || port != nil else {
            guard scheme == .http else {
                let origin = sources.origin(of: SettingTable.pusherScheme.row) ?? ""
                throw .configuration("\(origin) is \"https\", but this broker speaks http: PUSHER_HOST is missing")
            }
            return nil
        }
        let brokerHost = try sources.required(SettingTable.brokerHost)
        let brokerPort = try sources.required(SettingTable.brokerPort)
        let target = PublishTarget(
            scheme: scheme, host: host ?? Self.reachable(brokerHost),
            port: port ?? (scheme == .https ? 443 : brokerPort))
        guard target.port != 0 else { throw .configuration("PUSHER_PORT is missing: BROKER_PORT is 0, any free one") }
        return target
    }

    /// Where a broker that listens on `host` is reached from this machine.
    static func reachable(_ host: String) -> String {
        switch host {
        case "0.0.0.0": "127.0.0.1"
        case "::": "::1"
        default: host
        }
    }
}

extension SettingSources {
    /// The value of a setting that has a default.
    fileprivate func required<Value>(_ setting: Setting<Value>) throws(StartFailure) -> Value {
        guard let value = try self.value(of: setting) else {
            preconditionFailure("\(setting.row.name) has no default in the table, or one that is not allowed")
        }
        return value
    }
}
