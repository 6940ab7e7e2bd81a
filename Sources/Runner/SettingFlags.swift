import ArgumentParser

/// The settings as flags of `serve`. A secret is none: every user of the machine can read a command line.
struct SettingFlags: ParsableArguments {
    @Option(SettingTable.brokerHost.row) var brokerHost: String?
    @Option(SettingTable.brokerPort.row) var brokerPort: String?
    @Option(SettingTable.brokerEventLoops.row) var brokerEventLoops: String?
    @Option(SettingTable.brokerAllowedOrigins.row) var brokerAllowedOrigins: String?
    @Option(SettingTable.brokerMaxConnections.row) var brokerMaxConnections: String?
    @Option(SettingTable.brokerMaxConnectionsPerAddress.row) var brokerMaxConnectionsPerAddress: String?
    @Option(SettingTable.brokerActivityTimeout.row) var brokerActivityTimeout: String?
    @Option(SettingTable.tlsCertificate.row) var tlsCertificate: String?
    @Option(SettingTable.tlsKey.row) var tlsKey: String?
    @Option(SettingTable.trustedProxies.row) var trustedProxies: String?
    @Option(SettingTable.ticketsHost.row) var ticketsHost: String?
    @Option(SettingTable.ticketsPort.row) var ticketsPort: String?
    @Option(SettingTable.ticketsAllowedOrigins.row) var ticketsAllowedOrigins: String?
    @Option(SettingTable.tokenLifetime.row) var tokenLifetime: String?
    @Option(SettingTable.tokenIdleLifetime.row) var tokenIdleLifetime: String?
    @Option(SettingTable.sessionLifetime.row) var sessionLifetime: String?
    @Option(SettingTable.requestsPerUser.row) var requestsPerUser: String?
    @Option(SettingTable.requestsPerAddress.row) var requestsPerAddress: String?
    @Option(SettingTable.ticketsMaxConnections.row) var ticketsMaxConnections: String?
    @Option(SettingTable.ticketsMaxUploads.row) var ticketsMaxUploads: String?
    @Option(SettingTable.dataDirectory.row) var dataDirectory: String?
    @Option(SettingTable.eventStyle.row) var eventStyle: String?
    @Option(SettingTable.eventAliases.row) var eventAliases: String?
    @Option(SettingTable.ticketsApp.row) var ticketsApp: String?
    @Option(SettingTable.appID.row) var appID: String?
    @Option(SettingTable.appKey.row) var appKey: String?
    @Option(SettingTable.clientEvents.row) var clientEvents: String?
    @Option(SettingTable.clientEventsPerSecond.row) var clientEventsPerSecond: String?
    @Option(SettingTable.pusherHost.row) var pusherHost: String?
    @Option(SettingTable.pusherPort.row) var pusherPort: String?
    @Option(SettingTable.pusherScheme.row) var pusherScheme: String?
    @Option(SettingTable.opsHost.row) var opsHost: String?
    @Option(SettingTable.opsPort.row) var opsPort: String?
    @Option(SettingTable.drain.row) var drain: String?
    @Flag(name: .customLong(SettingTable.demo.row.flag), help: ArgumentHelp(SettingTable.demo.row.help))
    var demo = false
    @Option(SettingTable.logLevel.row) var logLevel: String?
    @Option(SettingTable.logFormat.row) var logFormat: String?

    /// What was given, by the setting's name.
    var given: [String: String] {
        let flags: [(SettingRow, String?)] = [
            (SettingTable.brokerHost.row, self.brokerHost), (SettingTable.brokerPort.row, self.brokerPort),
            (SettingTable.brokerEventLoops.row, self.brokerEventLoops),
            (SettingTable.brokerAllowedOrigins.row, self.brokerAllowedOrigins),
            (SettingTable.brokerMaxConnections.row, self.brokerMaxConnections),
            (SettingTable.brokerMaxConnectionsPerAddress.row, self.brokerMaxConnectionsPerAddress),
            (SettingTable.brokerActivityTimeout.row, self.brokerActivityTimeout),
            (SettingTable.tlsCertificate.row, self.tlsCertificate), (SettingTable.tlsKey.row, self.tlsKey),
            (SettingTable.trustedProxies.row, self.trustedProxies),
            (SettingTable.ticketsHost.row, self.ticketsHost), (SettingTable.ticketsPort.row, self.ticketsPort),
            (SettingTable.ticketsAllowedOrigins.row, self.ticketsAllowedOrigins),
            (SettingTable.tokenLifetime.row, self.tokenLifetime),
            (SettingTable.tokenIdleLifetime.row, self.tokenIdleLifetime),
            (SettingTable.sessionLifetime.row, self.sessionLifetime),
            (SettingTable.requestsPerUser.row, self.requestsPerUser),
            (SettingTable.requestsPerAddress.row, self.requestsPerAddress),
            (SettingTable.ticketsMaxConnections.row, self.ticketsMaxConnections),
            (SettingTable.ticketsMaxUploads.row, self.ticketsMaxUploads),
            (SettingTable.dataDirectory.row, self.dataDirectory), (SettingTable.eventStyle.row, self.eventStyle),
            (SettingTable.eventAliases.row, self.eventAliases),
            (SettingTable.ticketsApp.row, self.ticketsApp),
            (SettingTable.appID.row, self.appID), (SettingTable.appKey.row, self.appKey),
            (SettingTable.clientEvents.row, self.clientEvents),
            (SettingTable.clientEventsPerSecond.row, self.clientEventsPerSecond),
            (SettingTable.pusherHost.row, self.pusherHost), (SettingTable.pusherPort.row, self.pusherPort),
            (SettingTable.pusherScheme.row, self.pusherScheme),
            (SettingTable.opsHost.row, self.opsHost), (SettingTable.opsPort.row, self.opsPort),
            (SettingTable.drain.row, self.drain),
            (SettingTable.demo.row, self.demo ? "1" : nil),
            (SettingTable.logLevel.row, self.logLevel), (SettingTable.logFormat.row, self.logFormat),
        ]
        return Dictionary(uniqueKeysWithValues: flags.compactMap { row, text in text.map { (row.name, $0) } })
    }
}

/// `--config`, for every command that reads settings.
struct ConfigurationFlag: ParsableArguments {
    @Option(name: .customLong("config"), help: ArgumentHelp("a file of settings", valueName: "switchboard.yaml"))
    var path: String?

    func file() throws(StartFailure) -> ConfigurationFile? {
        guard let path = self.path else { return nil }
        return try ConfigurationFile(path: path)
    }
}

extension SettingRow {
    /// What the help says of the setting.
    var help: String {
        let fallback = self.defaultText.map { "default \($0)" } ?? self.absence ?? ""
        return "\(self.meaning) [\(self.name); \(fallback)]"
    }
}

extension Option where Value == String? {
    /// A setting's flag. Its text is understood later, with those of the environment and the file.
    init(_ row: SettingRow) {
        self.init(name: .customLong(row.flag), help: ArgumentHelp(row.help, valueName: row.placeholder))
    }
}
