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
    let ticketsHost: String
    let ticketsPort: Int
    let dataDirectory: String
    let eventStyle: EventStyle
    /// By the event's plain name.
    let eventAliases: [String: String]
    let app: GivenApp?
    let clientEvents: Bool
    /// nil for any number.
    let clientEventsPerSecond: Int?
    /// Where the ticket API publishes when the operator said so; nil for the broker of these settings.
    let externalTarget: PublishTarget?
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
        self.dataDirectory = try sources.required(SettingTable.dataDirectory)
        self.eventStyle = try sources.required(SettingTable.eventStyle)
        self.eventAliases = try sources.value(of: SettingTable.eventAliases) ?? [:]
        self.app = try Self.app(sources)
        self.clientEvents = try sources.required(SettingTable.clientEvents)
        let perSecond = try sources.required(SettingTable.clientEventsPerSecond)
        self.clientEventsPerSecond = perSecond == 0 ? nil : perSecond
        self.externalTarget = try Self.externalTarget(sources)
        self.demo = try sources.required(SettingTable.demo)
        self.logLevel = try sources.required(SettingTable.logLevel)
        self.logFormat = try sources.required(SettingTable.logFormat)
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
