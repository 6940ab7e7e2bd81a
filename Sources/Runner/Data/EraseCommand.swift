import ArgumentParser
import Glibc
import TicketAPI

/// `switchboard erase`.
struct EraseCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "erase",
        abstract: "Remove a person: the account, its tickets, chats and attachments.",
        discussion: """
            For a person who asks to be forgotten. What an admin wrote in the tickets of others stays, by "Deleted user". \
            No trace remains in the data directory; backups and directories before-restore-… still have all of it.

            It works while a server is running. The database is written anew, some fifteen seconds for each gigabyte, and \
            what is posted meanwhile waits.
            """)

    @Option(name: .customLong("user"), help: ArgumentHelp("the account's email address", valueName: "email"))
    var email: String
    @Flag(help: "do not ask")
    var yes = false
    @OptionGroup var place: DataPlace

    func run() async throws {
        let directory = try self.place.existingDirectory()
        let account = try await StartFailure.translating("nothing was erased") {
            let user = try await Accounts.find(dataDirectory: directory.path, email: self.email)
            if !self.yes { try Self.confirm(user) }
            return try await Erasure.erase(dataDirectory: directory.path, email: self.email)
        }
        let (isClean, copies) = try await StartFailure.translating(
            "the account is erased, but files may still hold traces until the next erasure"
        ) {
            let isClean = try await Erasure.clean(account, dataDirectory: directory.path)
            return (isClean, try Erasure.otherCopies(dataDirectory: directory.path))
        }
        var lines = [
            "Erased \(self.email) (id \(account.userID)): "
                + "\(account.tickets) tickets, \(account.files.count) attachments."
        ]
        if account.isAnonymised {
            lines.append("What the account wrote in others' tickets is by \"Deleted user\" now.")
        }
        if !isClean {
            lines.append("tickets.sqlite-wal may hold traces until those who read at this moment have ended.")
        }
        lines.append("Backups from before still have it.")
        lines += copies.map { "So has \($0)." }
        StandardOutput.write(lines.joined(separator: "\n") + "\n")
    }

    private static func confirm(_ user: TicketAPI.User) throws(StartFailure) {
        guard isatty(STDIN_FILENO) == 1 else {
            throw .usage("nothing was erased: standard input is no terminal to ask at; --yes erases without asking")
        }
        StandardError.write(
            "Erase \(Quoted.text(user.name)), \(user.role.rawValue), \(user.email), and all tickets of this account? "
                + "It cannot be undone.\nType the address to go on: ")
        guard readLine()?.lowercased() == user.email.lowercased() else {
            throw .usage("nothing was erased: that is another address")
        }
    }
}
