import ArgumentParser
import Foundation
import TicketAPI

/// `switchboard export`.
struct ExportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export",
        abstract: "Write everything that is kept about a person, as JSON.",
        discussion: """
            For a person who asks what is known about them: account, tokens by name, tickets with chats, comments and \
            activity, and what they wrote elsewhere. No secrets, and no internal notes of others. It works while a server \
            is running.

            Without --output the document goes to standard output; attachments are only named in it.
            """)

    @Option(name: .customLong("user"), help: ArgumentHelp("the account's email address", valueName: "email"))
    var email: String
    @Option(help: ArgumentHelp("a new directory for data.json and the attachments", valueName: "directory"))
    var output: String?
    @OptionGroup var place: DataPlace

    func run() async throws {
        let directory = try self.place.existingDirectory()
        try await StartFailure.translating("nothing was exported") {
            guard let output = self.output else {
                let document = try await PersonalData.document(dataDirectory: directory.path, email: self.email)
                StandardOutput.write(String(decoding: document.bytes, as: UTF8.self))
                if !document.attachments.isEmpty {
                    StandardError.write(
                        "switchboard: \(document.attachments.count) attachments are named and not included; "
                            + "--output writes them too\n")
                }
                return
            }
            guard !FileManager.default.fileExists(atPath: output) else {
                throw StartFailure.unavailable("nothing was exported: \(output) exists already")
            }
            let document = try await PersonalData.write(
                dataDirectory: directory.path, email: self.email, directory: output)
            StandardOutput.write("Wrote data.json and \(document.attachments.count) attachments to \(output).\n")
        }
    }
}
