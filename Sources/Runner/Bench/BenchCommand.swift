import ArgumentParser
import Foundation
import Glibc
import LoadGenerator
import UnixSignals

/// `switchboard bench`.
struct BenchCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench",
        abstract: "Measure a Pusher-compatible server under load, from another terminal.",
        discussion: """
            Connects, subscribes, publishes, and checks that every event arrives everywhere once, in order and \
            unharmed. Without any option it measures the server that runs here. Ctrl-C ends early and shows what there \
            is. The exit code is 0 only when nothing was lost, duplicated, reordered or malformed, and nothing failed.

            switchboard bench                                     events as fast as they arrive, 8 at a time
            switchboard bench --connections 5000 --channels 1     one event to 5,000 connections
            switchboard bench --rate 200                          200 a second, for latencies: no coordinated omission
            switchboard bench --client-events --rate 50           subscribers publish; servers allow each 10 a second
            switchboard bench --pid $(pgrep -xo switchboard)      with the server's CPU and memory
            switchboard bench --host ws.example.com --tls --app-id 1 --app-key KEY      PUSHER_APP_SECRET is set

            Measure only servers that are yours: the load is real.
            """)

    @OptionGroup(title: "Server") var target: ServerTarget
    @OptionGroup(title: "Load") var load: LoadOptions
    @Option(help: ArgumentHelp("the server's process on this machine: adds its CPU time and memory", valueName: "pid"))
    var pid: Int?
    @Flag(help: "the result as JSON on standard output")
    var json = false

    func run() async throws {
        let (endpoint, credentials) = try self.target.resolve(as: "switchboard-bench")
        let plan = try self.load.plan(for: endpoint, credentials: credentials, process: self.pid)
        if let pid, ProcessUsage(of: pid) == nil { throw StartFailure.usage("--pid is \(pid), which is no process") }
        try Self.allow(plan)

        let progress = ProgressLine()
        let run = LoadRun(plan) { progress.report($0.line) }
        let result: LoadResult
        do {
            defer { progress.end() }
            result = try await Self.stoppable(run)
        } catch let failure as LoadFailure {
            StandardError.write("switchboard: bench: \(BenchText.line(failure, plan))\n")
            throw ExitCode(1)
        }
        StandardOutput.write(self.json ? try BenchJSON(plan, result).text : BenchText(plan, result).text)
        guard result.isClean else {
            StandardError.write("switchboard: bench: \(BenchText.faults(result))\n")
            throw ExitCode(1)
        }
    }

    /// Runs; Ctrl-C and SIGTERM end it early. A second one ends the program.
    private static func stoppable(_ run: LoadRun) async throws -> LoadResult {
        let signals = await UnixSignalsSequence(trapping: .sigint, .sigterm)
        return try await withThrowingTaskGroup(of: LoadResult?.self) { tasks in
            tasks.addTask { try await run.run() }
            tasks.addTask {
                var count = 0
                for await _ in signals {
                    count += 1
                    if count > 1 { Glibc.exit(130) }
                    run.stop()
                }
                return nil
            }
            defer { tasks.cancelAll() }
            while let result = try await tasks.next() {
                if let result { return result }
            }
            throw CancellationError()
        }
    }

    /// Every connection is an open file.
    private static func allow(_ plan: LoadPlan) throws(StartFailure) {
        let needed = plan.connections + plan.publishers + 64
        _ = OpenFiles.raise()
        guard OpenFiles.limit >= needed else {
            throw .unavailable(
                "\(plan.connections) connections need \(needed) open files, and this process may have "
                    + "\(OpenFiles.limit): raise the hard limit ('ulimit -Hn'), or use fewer --connections")
        }
    }
}
