import ArgumentParser
import BrokerCore
import Foundation
import PusherClient
import PusherProtocol

/// The server that a command speaks to as any client would, and the app it is of. Without any flag it is the one that
/// `serve` would start here.
struct ServerTarget: ParsableArguments {
    @Option(help: ArgumentHelp("the server's host name or address [default: this machine]", valueName: "host"))
    var host: String?
    @Option(help: ArgumentHelp("its port [default: the broker's; 443 with --tls and --host]", valueName: "port"))
    var port: Int?
    @Flag(help: "connect by TLS (wss, https)")
    var tls = false
    @Option(
        name: .customLong("tls-ca"),
        help: ArgumentHelp("trust the certificates in a PEM file instead of the system's", valueName: "path"))
    var authorities: String?
    @Flag(help: "accept any certificate")
    var insecure = false
    @Option(help: ArgumentHelp("the app's id; its secret is PUSHER_APP_SECRET in the environment", valueName: "id"))
    var appID: String?
    @Option(help: ArgumentHelp("the app's public key", valueName: "key"))
    var appKey: String?
    @OptionGroup var place: DataPlace

    /// What the command line, the environment, the configuration file and the data directory say, in this order.
    func resolve(as client: String) throws(StartFailure) -> (endpoint: PusherEndpoint, credentials: AppCredentials) {
        var settings = try self.place.settings()
        if settings.apps == nil {
            // The flags are of the single app; of a list they choose one.
            var flags: [String: String] = [:]
            flags[SettingTable.appID.row.name] = self.appID
            flags[SettingTable.appKey.row.name] = self.appKey
            settings = try self.place.settings(with: flags)
        }
        let credentials = try self.credentials(settings)
        if let host, SettingTable.brokerHost.kind.parse(host) == nil {
            throw .usage("--host is \(Quoted.text(host)); allowed: \(SettingTable.brokerHost.row.allowed)")
        }
        if let port, !(1...65535).contains(port) { throw .usage("--port is \(port); allowed: 1 to 65535") }
        let isOurs = self.host == nil
        return (
            PusherEndpoint(
                host: self.host ?? Settings.reachable(settings.brokerHost),
                port: self.port ?? (self.tls && !isOurs ? 443 : settings.brokerPort), tls: try self.clientTLS(),
                key: credentials.key, client: client, version: Release.version),
            credentials
        )
    }

    private func clientTLS() throws(StartFailure) -> ClientTLS? {
        guard self.tls else {
            guard self.authorities == nil, !self.insecure else {
                throw .usage("--tls-ca and --insecure are about TLS; add --tls")
            }
            return nil
        }
        guard self.authorities == nil || !self.insecure else {
            throw .usage("--tls-ca and --insecure cannot both be given")
        }
        do {
            return try ClientTLS(trusting: self.insecure ? .anybody : self.authorities.map { .file($0) } ?? .system)
        } catch {
            throw .unavailable("\(error)\(self.authorities.map { ": \($0)" } ?? "")")
        }
    }

    private func credentials(_ settings: Settings) throws(StartFailure) -> AppCredentials {
        if let list = settings.apps {
            let chosen = list.apps.first { app in
                let credentials = app.application.credentials
                return (self.appID ?? credentials.id, self.appKey ?? credentials.key)
                    == (credentials.id, credentials.key)
            }
            guard self.appID != nil || self.appKey != nil else {
                return list.apps[settings.ticketsAppIndex].application.credentials
            }
            guard let chosen else { throw .usage("--app-id and --app-key name none of the \(list.origin)") }
            return chosen.application.credentials
        }
        if let app = settings.app {
            return AppCredentials(id: app.id, key: app.key, secret: AppSecret(app.secret))
        }
        guard FileManager.default.fileExists(atPath: settings.dataDirectory),
            let content = try CredentialFile(in: settings.dataDirectory).read()
        else {
            throw .configuration(
                "which app? There are no credentials in \(settings.dataDirectory): name the server's data directory "
                    + "with --data-dir or its file with --config, or give --app-id and --app-key, and "
                    + "PUSHER_APP_SECRET in the environment")
        }
        return AppCredentials(id: content.id, key: content.key, secret: AppSecret(content.secret))
    }
}
