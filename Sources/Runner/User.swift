import ArgumentParser
import Foundation
import Logging
import TicketAPI

/// `switchboard user`: accounts, from the command line.
struct User: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Manage the ticket API's accounts.", subcommands: [Create.self])

    struct Create: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Create an account.",
            discussion: """
                The password is asked for at the terminal, or read as one line from standard input when that is not a \
                terminal. It works while a server is running.
                """
        )

        @Option(help: "the account's email address")
        var email: String
        @Option(help: "\(Role.allCases.map(\.rawValue).joined(separator: " or "))")
        var role: String
        @Option(help: "the name shown to others; made from the address when left out")
        var name: String?
        @Option(SettingTable.dataDirectory.row) var dataDirectory: String?
        @OptionGroup var configurationFlag: ConfigurationFlag

        func run() async throws {
            guard let role = Role(rawValue: self.role) else {
                let allowed = Role.allCases.map(\.rawValue).joined(separator: ", ")
                throw StartFailure.usage("--role is \(Quoted.text(self.role)); allowed: \(allowed)")
            }
            let flags = self.dataDirectory.map { [SettingTable.dataDirectory.row.name: $0] } ?? [:]
            let settings = try Settings(
                SettingSources(
                    flags: flags, environment: ProcessInfo.processInfo.environment,
                    file: self.configurationFlag.file()))
            let password = try Password.read()
            let directory = try DataDirectory(path: settings.dataDirectory)
            let id: Int64
            do {
                id = try await Accounts.create(
                    dataDirectory: directory.path, email: self.email, name: self.name, role: role, password: password)
            } catch {
                throw StartFailure.unavailable("the account was not created: \(error)")
            }
            StandardOutput.write("Created \(role.rawValue) \(self.email) with id \(id).\n")
        }
    }
}
