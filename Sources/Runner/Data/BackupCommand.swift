import ArgumentParser
import Foundation
import TicketAPI

/// `switchboard backup`.
struct BackupCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "backup",
        abstract: "Write all of the ticket API's data to one file, while a server is running or not.",
        discussion: """
            The file holds one state of accounts, tickets, messages and attachments, and the app's credentials when they \
            were generated: it is as secret as the data directory. It has its name only when it was read again and found \
            whole. It is an SQLite database.

            A file FILE.partial-… is what a backup left that was interrupted; it can be deleted.
            """)

    @Argument(help: "the file to write")
    var file: String
    @Flag(help: "replace the file if there is one")
    var force = false
    @OptionGroup var place: DataPlace

    func run() async throws {
        let directory = try self.place.existingDirectory()
        let began = ContinuousClock.now
        let progress = ProgressLine()
        let summary = try await StartFailure.translating("no backup was made") {
            defer { progress.end() }
            return try await Backup.make(
                dataDirectory: directory.path, file: self.file, overwriting: self.force, madeBy: Switchboard.name
            ) { progress.report($0) }
        }
        let seconds = (ContinuousClock.now - began) / .seconds(1)
        StandardOutput.write(
            """
            Backed up \(directory.path) to \(self.file), and verified it:
            \(summary.lines)\
              took         \(String(format: "%.1f", seconds)) s

            """)
    }
}

extension BackupSummary {
    /// Lines for a person.
    var lines: String {
        """
          made at      \(self.createdAt.iso8601)
          users        \(self.users)
          tickets      \(self.tickets)
          messages     \(self.messages)
          attachments  \(self.attachments)
          credentials  \(self.hasCredentials ? "the generated app's" : "none: the app is one of the settings")
          size         \(self.size) bytes

        """
    }
}
