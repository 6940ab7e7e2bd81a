import ArgumentParser
import Foundation
import Logging
import Webhooks

/// `switchboard webhooks`: the webhooks that could not be delivered.
struct DeadLetters: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "webhooks",
        abstract: "List, replay or drop webhooks that could not be delivered.",
        discussion: "They lie in the data directory. It works while a server is running.",
        subcommands: [List.self, Replay.self, Drop.self])

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List them, the oldest first.")

        @OptionGroup var place: DeadLetterPlace
        @Flag(help: "as JSON, whole: with bodies and full addresses")
        var json = false

        func run() async throws {
            let letters = try await self.place.letters(try self.place.box(self.place.settings()))
            StandardOutput.write(self.json ? try Self.json(letters) : DeadLetterTable(letters).text)
        }

        private static func json(_ letters: [DeadLetter]) throws -> String {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
            return String(decoding: try encoder.encode(letters), as: UTF8.self) + "\n"
        }
    }

    struct Replay: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Send them again, and remove what is accepted.",
            discussion: "Signed with the present secret of their app, to the address in the file of --config.")

        @OptionGroup var place: DeadLetterPlace
        @OptionGroup var choice: DeadLetterChoice

        func run() async throws {
            let settings = try self.place.settings()
            guard let list = settings.apps else {
                throw StartFailure.configuration("there is no list of apps; name the server's file with --config")
            }
            let box = try self.place.box(settings)
            let letters = try self.choice.pick(from: try await self.place.letters(box))
            var failures = 0
            for letter in letters {
                do {
                    guard let app = list.apps.first(where: { $0.id == letter.app }) else {
                        throw StartFailure.configuration(
                            "letter \(letter.id) is of app \(Quoted.text(letter.app)), which is none of the \(list.origin)"
                        )
                    }
                    try await box.replay(letter, app: app.webhookApp)
                    StandardOutput.write("Replayed \(letter.id).\n")
                } catch {
                    failures += 1
                    StandardError.write("switchboard: \(error)\n")
                }
            }
            if failures > 0 {
                throw StartFailure.unavailable("\(failures) of \(letters.count) not replayed; they are still there")
            }
        }
    }

    struct Drop: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Remove them.")

        @OptionGroup var place: DeadLetterPlace
        @OptionGroup var choice: DeadLetterChoice

        func run() async throws {
            let box = try self.place.box(self.place.settings())
            let ids = self.choice.all ? try await self.place.letters(box).map(\.id) : self.choice.ids
            var missing: [String] = []
            for id in ids {
                do {
                    if try await box.remove(id) {
                        StandardOutput.write("Dropped \(id).\n")
                    } else {
                        missing.append(id)
                    }
                } catch {
                    throw StartFailure.unavailable("cannot drop \(id): \(error)")
                }
            }
            // With --all, one that has gone meanwhile is no mistake.
            if !self.choice.all { try DeadLetterChoice.refuse(missing) }
        }
    }
}

/// Where the letters lie.
struct DeadLetterPlace: ParsableArguments {
    @OptionGroup private var place: DataPlace

    func settings() throws(StartFailure) -> Settings { try self.place.settings() }

    func box(_ settings: Settings) throws(StartFailure) -> DeadLetterBox {
        let directory = try DataPlace.existing(settings)
        let level = max(settings.logLevel, .warning)
        let logger = Logger(label: "webhooks") { label in
            LineLogHandler(label: label, level: level, format: settings.logFormat)
        }
        return DeadLetterBox(directory: DataDirectory.deadLetters(in: directory), logger: logger)
    }

    func letters(_ box: DeadLetterBox) async throws(StartFailure) -> [DeadLetter] {
        do {
            return try await box.list()
        } catch {
            throw .unavailable("the dead letters: \(error)")
        }
    }
}

/// Some of the letters, or all.
struct DeadLetterChoice: ParsableArguments {
    @Argument(help: "ids, as 'switchboard webhooks list' shows them")
    var ids: [String] = []
    @Flag(help: "all there are")
    var all = false

    func validate() throws {
        guard self.ids.isEmpty == self.all else {
            throw ValidationError(self.all ? "Give ids or --all, not both." : "Give ids, or --all for all there are.")
        }
    }

    func pick(from letters: [DeadLetter]) throws(StartFailure) -> [DeadLetter] {
        if self.all { return letters }
        try Self.refuse(self.ids.filter { id in !letters.contains { $0.id == id } })
        return letters.filter { self.ids.contains($0.id) }
    }

    static func refuse(_ missing: [String]) throws(StartFailure) {
        guard !missing.isEmpty else { return }
        throw .usage("no dead letter has the id \(missing.map(Quoted.text).joined(separator: ", "))")
    }
}

/// The letters for a person: a line each, in columns.
struct DeadLetterTable {
    private let letters: [DeadLetter]

    init(_ letters: [DeadLetter]) {
        self.letters = letters
    }

    var text: String {
        guard !self.letters.isEmpty else { return "No dead letters.\n" }
        return TextTable([["ID", "APP", "GIVEN UP", "TRIES", "ADDRESS", "FAILURE"]] + self.letters.map(Self.row)).text
    }

    private static func row(_ letter: DeadLetter) -> [String] {
        // A query may hold a secret, and a screen may be seen by others.
        let address = String(letter.url.prefix { $0 != "?" })
        let time = Date(timeIntervalSince1970: Double(letter.givenUpMS) / 1000)
        return [letter.id, letter.app, time.formatted(.iso8601), String(letter.attempts), address, letter.failure]
    }
}
