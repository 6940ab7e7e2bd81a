import ArgumentParser
import Broker
import BrokerCore
import Foundation
import Glibc
import Logging
import PusherProtocol
import PusherPublisher
import ServiceLifecycle
import TicketAPI
import UnixSignals

/// `switchboard serve`: both parts in one process, or one of them.
struct Serve: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Serve the broker and the ticket API, or one of them.",
        discussion: """
            Each setting below may be given as a flag, as the environment variable in brackets, or in the file of \
            --config under the same name in small letters (broker_port: 6001). A flag beats the environment, the \
            environment beats the file. SIGHUP reads the list of apps in the file again, and the TLS files. The app's \
            secret is no flag, since a command line can be read by every user: \
            \(SettingTable.appSecret.row.name) in the environment or \(SettingTable.appSecret.row.configKey) in the \
            file.
            """
    )

    enum Part: String, ExpressibleByArgument, CaseIterable, Sendable { case broker, tickets }

    @Argument(help: "The part to serve, when not both.")
    var part: Part?
    @OptionGroup var configurationFlag: ConfigurationFlag
    @OptionGroup(title: "Settings") var flags: SettingFlags

    func run() async throws {
        // The first thing of all: a reload may be asked for while this starts.
        let signals = await UnixSignalsSequence(trapping: .sighup)
        let file = try self.configurationFlag.file()
        let sources = SettingSources(
            flags: self.flags.given, environment: ProcessInfo.processInfo.environment, file: file)
        let settings = try Settings(sources)
        let logFormat = settings.logFormat
        let logLevel = settings.logLevel
        LoggingSystem.bootstrap { LineLogHandler(label: $0, level: logLevel, format: logFormat) }
        let logger = Logger(label: "switchboard")
        file?.warnOfExposure(logger)
        if !FileLimit.raise() {
            logger.warning("cannot raise the limit of open files", metadata: ["reason": "\(lastSystemError())"])
        }
        try await Serving(part: self.part, settings: settings, sources: sources, logger: logger).run(
            reloadingAt: signals)
    }
}
