import BrokerCore
import PusherProtocol
import Webhooks
import Yams

/// One app as the operator described it.
struct ConfiguredApp: Sendable {
    let application: Application
    /// For people.
    var name: String?
    var webhooks: [WebhookEndpoint] = []
    /// That of what stands in the file: another one tells that it has changed.
    var fingerprint = 0

    var credentials: AppCredentials { self.application.credentials }
    var id: String { self.credentials.id }
    var webhookApp: WebhookApp { WebhookApp(credentials: self.credentials, endpoints: self.webhooks) }
    /// For a line of text: the id, and the name if there is one.
    var title: String { self.name.map { "\(self.id) (\($0))" } ?? self.id }
}

/// The `apps` list of the configuration file.
struct AppList: Sendable {
    let apps: [ConfiguredApp]
    /// Where it stands, in words.
    let origin: String

    private static let maximum = 10_000
    private static let maxWebhooks = 32

    /// Reads and checks all of it.
    /// - Parameter line: that of the key.
    init(_ node: Node, file: String, line: Int) throws(StartFailure) {
        self.origin = "apps in \(file), line \(line)"
        guard case .sequence(let nodes) = node else {
            throw .configuration(
                "\(file), line \(line): apps is \(node.shown); allowed: a list of apps, each with id, key and secret")
        }
        guard (1...Self.maximum).contains(nodes.count) else {
            throw .configuration(
                "\(file), line \(line): apps has \(nodes.count) entries; allowed: 1 to \(Self.maximum)")
        }
        var apps: [ConfiguredApp] = []
        var taken = TakenNames()
        for (index, node) in nodes.enumerated() {
            let mapping = try FileMapping(node, place: "apps[\(index)]", file: file, rows: AppTable.rows)
            var app = try Self.app(mapping)
            // Only now is it known to be of a bounded size: aliases of aliases make a small file a huge tree.
            app.fingerprint = node.hashValue
            try taken.take(app.id, as: AppTable.id.row, in: mapping)
            try taken.take(app.credentials.key, as: AppTable.key.row, in: mapping)
            apps.append(app)
        }
        self.apps = apps
    }

    private static func app(_ mapping: FileMapping) throws(StartFailure) -> ConfiguredApp {
        let webhooks = try self.webhooks(mapping)
        let credentials = try self.credentials(mapping)
        let application = Application(
            credentials: credentials,
            isEnabled: try mapping.value(of: AppTable.isEnabled),
            requiresTLS: try mapping.value(of: AppTable.requiresTLS),
            allowedOrigins: try mapping.value(of: AppTable.allowedOrigins),
            features: try self.features(mapping), rates: try self.rates(mapping), limits: try self.limits(mapping),
            webhookEvents: WebhookApp(credentials: credentials, endpoints: webhooks).decisiveKinds)
        return ConfiguredApp(
            application: application, name: try mapping.optional(AppTable.name), webhooks: webhooks)
    }

    private static func credentials(_ mapping: FileMapping) throws(StartFailure) -> AppCredentials {
        let secret = try mapping.value(of: AppTable.secret)
        let next = try mapping.optional(AppTable.nextSecret)
        guard secret != next else {
            throw .configuration(
                "\(mapping.file), line \(mapping.line(of: AppTable.nextSecret.row)): \(mapping.place).next_secret is the "
                    + "same as its secret; allowed: another one, or none")
        }
        return AppCredentials(
            id: try mapping.value(of: AppTable.id), key: try mapping.value(of: AppTable.key),
            secret: AppSecret(secret), nextSecret: next.map(AppSecret.init))
    }

    private static func features(_ mapping: FileMapping) throws(StartFailure) -> Application.Features {
        var features = Application.Features()
        features.clientEvents = try mapping.value(of: AppTable.clientEvents)
        features.watchlist = try mapping.value(of: AppTable.watchlist)
        features.subscriptionCounts = try mapping.value(of: AppTable.subscriptionCounts)
        let timeout = try mapping.value(of: AppTable.authorizationTimeout)
        features.authorizationTimeout = timeout == 0 ? nil : timeout
        return features
    }

    private static func rates(_ mapping: FileMapping) throws(StartFailure) -> Application.Rates {
        var rates = Application.Rates()
        rates.connections = try mapping.value(of: AppTable.connections)
        rates.publishesPerSecond = try mapping.value(of: AppTable.publishesPerSecond)
        rates.clientEventsPerSecond = try mapping.value(of: AppTable.clientEventsPerSecond)
        rates.clientEventsPerConnection = try mapping.value(of: AppTable.clientEventsPerConnection)
        return rates
    }

    private static func limits(_ mapping: FileMapping) throws(StartFailure) -> Limits {
        var limits = Limits()
        limits.channelName = try mapping.value(of: AppTable.channelName)
        limits.eventData = try mapping.value(of: AppTable.eventData)
        limits.presenceMembers = try mapping.value(of: AppTable.presenceMembers)
        limits.cacheSeconds = try mapping.value(of: AppTable.cacheSeconds)
        limits.cacheBytes = try mapping.value(of: AppTable.cacheMegabytes) << 20
        return limits
    }

    private static func webhooks(_ mapping: FileMapping) throws(StartFailure) -> [WebhookEndpoint] {
        guard let node = mapping.node(of: AppTable.webhooks.key) else { return [] }
        let place = "\(mapping.place).\(AppTable.webhooks.key)"
        guard case .sequence(let nodes) = node, nodes.count <= Self.maxWebhooks else {
            let shown = node.sequence.map { "a list of \($0.count)" } ?? node.shown
            throw .configuration(
                "\(mapping.file), line \(node.line): \(place) is \(shown); allowed: \(AppTable.webhooks.allowed)")
        }
        var endpoints: [WebhookEndpoint] = []
        for (index, node) in nodes.enumerated() {
            let webhook = try FileMapping(
                node, place: "\(place)[\(index)]", file: mapping.file, rows: WebhookTable.rows)
            endpoints.append(try self.endpoint(webhook))
        }
        return endpoints
    }

    private static func endpoint(_ mapping: FileMapping) throws(StartFailure) -> WebhookEndpoint {
        let url = try mapping.value(of: WebhookTable.url)
        let eventTypes = try mapping.optional(WebhookTable.eventTypes)
        let prefix = try mapping.optional(WebhookTable.channelPrefix)
        let suffix = try mapping.optional(WebhookTable.channelSuffix)
        let headers = try mapping.optional(WebhookTable.headers) ?? []
        let batches = try mapping.value(of: WebhookTable.batches)
        do {
            return try WebhookEndpoint(
                url: url, eventTypes: eventTypes?.map(\.rawValue), channelPrefix: prefix, channelSuffix: suffix,
                headers: headers, batches: batches)
        } catch {
            throw .configuration("\(mapping.file), line \(mapping.line): \(mapping.place).\(error)")
        }
    }
}

/// The ids and keys that apps have so far, and where.
private struct TakenNames {
    private var places: [String: String] = [:]

    mutating func take(_ text: String, as key: FileKeyRow, in mapping: FileMapping) throws(StartFailure) {
        let line = mapping.line(of: key)
        if let other = self.places.updateValue("\(mapping.place), line \(line),", forKey: "\(key.key) \(text)") {
            throw .configuration(
                "\(mapping.file), line \(line): \(mapping.place).\(key.key) is \(Quoted.text(text)), which \(other) has "
                    + "too; allowed: one that no other app has")
        }
    }
}
