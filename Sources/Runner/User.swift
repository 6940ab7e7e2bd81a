import ArgumentParser
import Foundation
import Logging
import TicketAPI

/// `switchboard user`: accounts, from the command line.
struct User: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Manage the ticket API's accounts.", discussion: "It works while a server is running.",
        subcommands: [Create.self, List.self, SetRole.self, ResetPassword.self])

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
        @Option(help: "\(User.roles)")
        var role: String
        @Option(help: "the name shown to others; made from the address when left out")
        var name: String?
        @OptionGroup var place: DataPlace

        func run() async throws {
            let role = try User.role(self.role, "--role")
            let settings = try self.place.settings()
            let password = try Password.read()
            let directory = try DataDirectory(path: settings.dataDirectory)
            let id = try await StartFailure.translating("the account was not created") {
                try await Accounts.create(
                    dataDirectory: directory.path, email: self.email, name: self.name, role: role, password: password)
            }
            StandardOutput.write("Created \(role.rawValue) \(self.email) with id \(id).\n")
        }
    }
    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List accounts, the oldest first.")

        @Option(help: "only those of a role: \(User.roles)")
        var role: String?
        @Flag(help: "as JSON")
        var json = false
        @OptionGroup var place: DataPlace

        func run() async throws {
            let role = try self.role.map { try User.role($0, "--role") }
            let directory = try self.place.existingDirectory()
            let users = try await StartFailure.translating("accounts cannot be listed") {
                try await Accounts.list(dataDirectory: directory.path, role: role)
            }
            StandardOutput.write(self.json ? try UserListing.json(users) : UserListing.table(users))
        }
    }

    struct SetRole: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "set-role", abstract: "Give an account another role.",
            discussion: """
                Who is no admin any more loses live connections, and reconnects as a customer. The last admin stays one.
                """)

        @Argument(help: "the account's email address")
        var email: String
        @Argument(help: "\(User.roles)")
        var role: String
        @OptionGroup var place: DataPlace

        func run() async throws {
            let role = try User.role(self.role, "the role")
            let directory = try self.place.existingDirectory()
            let isChanged = try await StartFailure.translating("the role was not changed") {
                try await Accounts.setRole(role, email: self.email, dataDirectory: directory.path)
            }
            StandardOutput.write("\(self.email) is \(isChanged ? "now" : "already") \(role.rawValue).\n")
        }
    }

    struct ResetPassword: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "reset-password", abstract: "Give an account another password, and end all its sessions.",
            discussion: """
                The password is asked for at the terminal, or read as one line from standard input when that is not a \
                terminal. All tokens and sessions of the account end.
                """)

        @Argument(help: "the account's email address")
        var email: String
        @OptionGroup var place: DataPlace

        func run() async throws {
            let directory = try self.place.existingDirectory()
            try await StartFailure.translating("the password was not changed") {
                // A mistyped address is said before a password is typed.
                _ = try await Accounts.find(dataDirectory: directory.path, email: self.email)
                try await Accounts.resetPassword(
                    dataDirectory: directory.path, email: self.email, password: Password.read())
            }
            StandardOutput.write("\(self.email) has a new password; all tokens and sessions are ended.\n")
        }
    }

    private static let roles = Role.allCases.map(\.rawValue).joined(separator: " or ")

    private static func role(_ text: String, _ what: String) throws(StartFailure) -> Role {
        guard let role = Role(rawValue: text) else {
            let allowed = Role.allCases.map(\.rawValue).joined(separator: ", ")
            throw .usage("\(what) is \(Quoted.text(text)); allowed: \(allowed)")
        }
        return role
    }
}

/// The accounts for a person, and for a program. Nothing secret is in either.
private enum UserListing {
    private struct Entry: Encodable {
        let id: Int64
        let name: String
        let email: String
        let role: String
        let created_at: String
    }

    static func json(_ users: [TicketAPI.User]) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        let entries = users.map {
            Entry(
                id: $0.id, name: $0.name, email: $0.email, role: $0.role.rawValue, created_at: $0.createdAt.iso8601)
        }
        return String(decoding: try encoder.encode(entries), as: UTF8.self) + "\n"
    }

    static func table(_ users: [TicketAPI.User]) -> String {
        guard !users.isEmpty else { return "No accounts.\n" }
        let rows = users.map { [String($0.id), $0.role.rawValue, $0.createdAt.iso8601, $0.email, $0.name] }
        return TextTable([["ID", "ROLE", "CREATED", "EMAIL", "NAME"]] + rows).text
    }
}
