import Foundation
import Dispatch
import Synchronization

/// A program that this one started and ends again, by its process id.
final class ChildProcess: Sendable {
    let id: pid_t
    private let output: CInt

    private static let living = Mutex<Set<pid_t>>([])

    /// Starts `program`. Its standard error goes to the end of the file `log`; `input` is all it can read.
    init(_ program: String, _ arguments: [String], environment: [String: String] = [:], input: String = "", log: String)
        throws
    {
        var (inward, outward): ([CInt], [CInt]) = ([0, 0], [0, 0])
        guard pipe(&inward) == 0, pipe(&outward) == 0 else { throw Failure("no pipe") }
        // A later child must not hold these open.
        for end in inward + outward { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, inward[0], 0)
        posix_spawn_file_actions_adddup2(&actions, outward[1], 1)
        posix_spawn_file_actions_addopen(&actions, 2, log, O_WRONLY | O_CREAT | O_APPEND, 0o600)

        // Settings of the caller's shell are not to be measured.
        var variables = ProcessInfo.processInfo.environment.filter { name, _ in
            ["PATH", "HOME", "LANG", "LD_LIBRARY_PATH", "TMPDIR"].contains(name)
        }
        variables.merge(environment) { $1 }
        var argv = ([program] + arguments).map { strdup($0) } + [nil]
        var envp = variables.map { strdup("\($0)=\($1)") } + [nil]
        defer { for text in argv + envp { free(text) } }
        var id: pid_t = 0
        let error = posix_spawn(&id, program, &actions, nil, &argv, &envp)
        close(inward[0])
        close(outward[1])
        guard error == 0 else { throw Failure("\(program) cannot be started: \(String(cString: strerror(error)))") }
        self.id = id
        self.output = outward[0]
        Self.living.withLock { _ = $0.insert(id) }
        _ = input.withCString { write(inward[1], $0, strlen($0)) }
        close(inward[1])
    }

    /// Reads standard output until a text that contains `mark` is complete, and returns all of it.
    func output(until mark: String) throws -> String {
        var text = ""
        var buffer = [UInt8](repeating: 0, count: 4096)
        while true {
            if let found = text.range(of: mark), text[found.upperBound...].contains("\n") { return text }
            let count = read(self.output, &buffer, buffer.count)
            guard count > 0 else { throw Failure("the program ended; it had said: \(text)") }
            text += String(decoding: buffer.prefix(count), as: UTF8.self)
        }
    }

    /// Waits for its end; the exit status.
    @discardableResult
    func wait() -> CInt {
        var status: CInt = 0
        while waitpid(self.id, &status, 0) < 0, errno == EINTR {}
        Self.living.withLock { _ = $0.remove(self.id) }
        close(self.output)
        return status
    }

    func stop() {
        kill(self.id, SIGTERM)
        self.wait()
    }

    /// CPU seconds of all its threads so far, those that ended included.
    var cpuSeconds: Double { Clock.cpuSeconds(of: self.id) }

    static func endAll() {
        for id in self.living.withLock({ $0 }) { kill(id, SIGKILL) }
    }

    /// An interrupted benchmark leaves no server behind.
    static func endAllOnSignals() {
        for number in [SIGINT, SIGTERM, SIGHUP] {
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler {
                Self.endAll()
                Workspace.removeAll()
                exit(128 + number)
            }
            source.activate()
            self.sources.append(source)
        }
    }

    /// Written once, at the start.
    nonisolated(unsafe) private static var sources: [any DispatchSourceSignal] = []
}

/// Why the benchmark cannot go on, in one line.
struct Failure: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) {
        self.description = description
    }
}

enum Progress {
    static func say(_ text: String) {
        FileHandle.standardError.write(Data("\(text)\n".utf8))
    }
}
