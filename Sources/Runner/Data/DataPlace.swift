import ArgumentParser
import Foundation
import TicketAPI

/// Where the data lies, as `serve` would find it.
struct DataPlace: ParsableArguments {
    @Option(SettingTable.dataDirectory.row) var dataDirectory: String?
    @OptionGroup var configurationFlag: ConfigurationFlag

    /// - Parameter others: what other flags of the command say, by the setting's name.
    func settings(with others: [String: String] = [:]) throws(StartFailure) -> Settings {
        var flags = others
        flags[SettingTable.dataDirectory.row.name] = self.dataDirectory
        return try Settings(
            SettingSources(
                flags: flags, environment: ProcessInfo.processInfo.environment, file: self.configurationFlag.file()))
    }

    /// The directory, which is made when there is none.
    func directory() throws(StartFailure) -> DataDirectory {
        try DataDirectory(path: self.settings().dataDirectory)
    }

    /// The directory of a server that has run: where there is none, the wrong place would be asked.
    func existingDirectory() throws(StartFailure) -> DataDirectory {
        try DataDirectory(path: Self.existing(self.settings()))
    }

    static func existing(_ settings: Settings) throws(StartFailure) -> String {
        guard FileManager.default.fileExists(atPath: settings.dataDirectory) else {
            throw .unavailable(
                "there is no data directory \(settings.dataDirectory); name the server's with --data-dir or --config")
        }
        return settings.dataDirectory
    }
}

extension StartFailure {
    /// Runs a command's work. What stops it becomes one line, and an exit code: 64 when the command line names something
    /// that is not there, else 69. `whatFailed` opens the line.
    static func translating<T>(
        _ whatFailed: String, _ work: () async throws -> T
    ) async throws(StartFailure) -> T {
        do {
            return try await work()
        } catch let failure as StartFailure {
            throw failure
        } catch OperatorRefusal.unknown(let text) {
            throw .usage("\(whatFailed): \(text)")
        } catch {
            throw .unavailable("\(whatFailed): \(error)")
        }
    }
}
