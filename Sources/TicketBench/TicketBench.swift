import ArgumentParser
import Foundation

/// `ticket-bench`: what the ticket API costs and how fast it is. docs/benchmarks.md says what each figure means.
@main
struct TicketBench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ticket-bench",
        abstract: "Measure the ticket API of a switchboard that this program starts, beside a bare Hummingbird server.",
        subcommands: [Run.self, Bare.self], defaultSubcommand: Run.self)

    /// The other server of the comparison, as a child process.
    struct Bare: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Serve the bare routes and say the port.", shouldDisplay: false)

        func run() async throws {
            try await BareServer.run()
        }
    }
}

/// A part of the benchmark.
enum Part: String, CaseIterable, ExpressibleByArgument {
    case chat, cost, lists
}

struct Run: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Run the benchmark (the default).", shouldDisplay: false)

    @Option(help: "the program to measure")
    var switchboard = Run.besideThisProgram("switchboard")
    @Option(help: "where the temporary data directories are made; on the disk that is to be measured")
    var directory = "."
    @Option(help: "parts to run: chat, cost, lists")
    var only: [Part] = Part.allCases
    @Option(help: "keep-alive clients, each with a ticket of its own, 1 to 64")
    var clients = 8
    @Option(help: "seconds of each load of the chat part, 1 to 600")
    var seconds = 10
    @Option(help: "rounds of the cost part, 1 to 99")
    var rounds = 5
    @Option(help: "tickets in the lists part, 1000 to 1000000; three messages each")
    var tickets = 100_000
    @Option(help: "requests for each shape in the lists part, 10 to 100000")
    var requests = 200
    @Flag(help: "print one JSON object instead of tables")
    var json = false

    func validate() throws {
        let bounds: [(String, Int, ClosedRange<Int>)] = [
            ("clients", self.clients, 1...64), ("seconds", self.seconds, 1...600), ("rounds", self.rounds, 1...99),
            ("tickets", self.tickets, 1000...1_000_000), ("requests", self.requests, 10...100_000),
        ]
        for (name, value, range) in bounds where !range.contains(value) {
            throw ValidationError("--\(name) is \(value); allowed: \(range.lowerBound) to \(range.upperBound)")
        }
    }

    func run() async throws {
        ChildProcess.endAllOnSignals()
        signal(SIGPIPE, SIG_IGN)
        var report = Report()
        do {
            defer { ChildProcess.endAll() }
            let parts = Set(self.only)
            let workspace = try Workspace(in: self.directory)
            defer { workspace.remove() }
            report.syncsPerSecond = try workspace.syncsPerSecond()
            if !parts.isDisjoint(with: [.chat, .cost]) {
                try self.measureChat(parts, workspace, &report)
            }
            if parts.contains(.lists) {
                try ListPart(switchboard: self.switchboard, tickets: self.tickets, requests: self.requests)
                    .run(in: workspace, &report)
            }
        }
        print(self.json ? report.json : report.text)
        guard report.faults.isEmpty else { throw ExitCode(1) }
    }

    private func measureChat(_ parts: Set<Part>, _ workspace: Workspace, _ report: inout Report) throws {
        let server = try SwitchboardServer(
            program: self.switchboard, directory: workspace.directory("chat"), log: workspace.path("chat.log"))
        defer { server.stop() }
        Progress.say("starting \(self.clients) clients and their subscriptions")
        let chat = try Chat(server: server, clients: self.clients)
        if parts.contains(.chat) {
            try ChatPart(chat: chat, seconds: self.seconds).run(&report)
        }
        if parts.contains(.cost) {
            let bare = try BareProcess(log: workspace.path("bare.log"))
            defer { bare.stop() }
            try CostPart(chat: chat, bare: bare, rounds: self.rounds).run(&report)
        }
        report.faults += try chat.faults()
    }

    private static func besideThisProgram(_ name: String) -> String {
        URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent().appendingPathComponent(name).path
    }
}
