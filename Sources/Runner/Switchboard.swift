import ArgumentParser
import Glibc

/// The program `switchboard`.
@main
struct Switchboard: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "switchboard",
        abstract: "A realtime broker that speaks the Pusher protocol, and a ticket API that publishes through it.",
        discussion: """
            switchboard serve --demo            both, with accounts and tickets to try it
            switchboard serve                   both
            switchboard serve broker            the broker alone
            switchboard serve tickets           the ticket API alone; publishes to PUSHER_HOST
            switchboard check --config FILE     tries settings without serving
            switchboard webhooks list           webhooks that could not be delivered
            switchboard bench                   measures a server under load, this one or any Pusher-compatible one
            switchboard user create --email you@example.com --role admin
            switchboard user list               accounts; also set-role and reset-password
            switchboard backup FILE             all data in one file, while a server is running
            switchboard restore FILE            the way back
            switchboard export --user EMAIL     what is kept about a person
            switchboard erase --user EMAIL      removes a person

            'switchboard help serve' lists the settings, 'switchboard help backup' tells more of a command.
            """,
        version: Self.name,
        subcommands: [
            Serve.self, Check.self, BenchCommand.self, DeadLetters.self, User.self, BackupCommand.self,
            RestoreCommand.self,
            ExportCommand.self, EraseCommand.self,
        ]
    )

    /// The program and its version.
    static let name = "switchboard \(Release.version)"

    static func main() async {
        // A peer that hangs up must be an error of one write, not the end of the process.
        signal(SIGPIPE, SIG_IGN)
        // So must a file that the system lets grow no further.
        signal(SIGXFSZ, SIG_IGN)
        // Asks a server to reload, once it serves; until then it must not end it.
        signal(SIGHUP, SIG_IGN)
        // What this program creates is its owner's alone: the database holds everybody's messages.
        umask(0o077)
        do {
            var command = try Self.parseAsRoot()
            if var asynchronous = command as? any AsyncParsableCommand {
                try await asynchronous.run()
            } else {
                try command.run()
            }
        } catch let failure as StartFailure {
            StandardError.write("switchboard: \(failure)\n")
            Glibc.exit(failure.exitCode)
        } catch {
            Self.exit(withError: error)
        }
    }
}

/// What this build calls itself.
enum Release {
    static let version = "0.1.0"
}
