import ArgumentParser
import TicketAPI

/// `switchboard restore`.
struct RestoreCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "restore",
        abstract: "Put the state of a backup into the data directory. No server may be running on it.",
        discussion: """
            The backup is verified first. The old state is replaced as a whole or not at all: a restore that is \
            interrupted either has done nothing, or is finished by the next command or server that uses the directory. \
            What was there is never deleted.

            Events that had not been published when the backup was made are dropped. Passwords, roles and tokens are as \
            they were then, also those that were taken away since: 'user reset-password' ends an account's tokens.
            """)

    @Argument(help: "a file that 'switchboard backup' made")
    var file: String
    @Flag(help: "replace data that is there; it is kept in a directory before-restore-…")
    var force = false
    @OptionGroup var place: DataPlace

    func run() async throws {
        let directory = try self.place.directory()
        let progress = ProgressLine()
        let (summary, aside) = try await StartFailure.translating("nothing was restored") {
            defer { progress.end() }
            return try await Restore.run(
                file: self.file, dataDirectory: directory.path, replacing: self.force
            ) { progress.report($0) }
        }
        StandardOutput.write("Restored \(self.file) into \(directory.path):\n\(summary.lines)")
        if let aside { StandardOutput.write("What was there before is in \(aside).\n") }
    }
}
