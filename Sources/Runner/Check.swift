import ArgumentParser
import BrokerCore
import Foundation
import Logging
import PusherProtocol
import Webhooks

/// `switchboard check`: whether `serve` would take these settings.
struct Check: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Check the settings and the file of --config, and show what they say.",
        discussion: """
            Takes what 'serve' takes. Nothing is started or written. Try a file with it before the server reads it \
            again at SIGHUP.
            """
    )

    @OptionGroup var configurationFlag: ConfigurationFlag
    @OptionGroup(title: "Settings") var flags: SettingFlags

    func run() async throws {
        let file = try self.configurationFlag.file()
        let settings = try Settings(
            SettingSources(flags: self.flags.given, environment: ProcessInfo.processInfo.environment, file: file))
        let logger = Logger(label: "switchboard") { label in
            LineLogHandler(label: label, level: settings.logLevel, format: settings.logFormat)
        }
        file?.warnOfExposure(logger)
        try await settings.checkTLS(logger)
        var lines = [
            "The settings are in order.",
            "  broker      \(Greeting.Listener(host: settings.brokerHost, port: settings.brokerPort).authority)",
            "  ticket API  \(Greeting.Listener(host: settings.ticketsHost, port: settings.ticketsPort).authority)",
        ]
        if let list = settings.apps {
            let app = list.apps[settings.ticketsAppIndex]
            lines += ["  publishes as \(app.title)", "  \(list.origin):"]
            lines += list.apps.map { "    \(Self.line($0))" }
        } else {
            lines.append("  one app, \(settings.app.map { "with the id \($0.id)" } ?? "generated at the first start")")
        }
        StandardOutput.write(lines.joined(separator: "\n") + "\n")
    }

    private static func line(_ app: ConfiguredApp) -> String {
        var parts = [app.title]
        if !app.application.isEnabled { parts.append("disabled") }
        if app.application.requiresTLS { parts.append("TLS only") }
        if app.credentials.nextSecret != nil { parts.append("two secrets") }
        if !app.webhooks.isEmpty { parts.append("webhooks to \(app.webhooks.map(\.name).joined(separator: ", "))") }
        return parts.joined(separator: "; ")
    }
}
