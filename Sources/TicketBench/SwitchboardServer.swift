import Foundation

/// `switchboard serve` with both parts in one process and default settings but for its ports and its data directory.
final class SwitchboardServer {
    let process: ChildProcess
    let brokerPort: Int
    let ticketsPort: Int
    let appKey: String
    private let program: String
    private let directory: String
    private let log: String

    init(program: String, directory: String, log: String) throws {
        (self.program, self.directory, self.log) = (program, directory, log)
        self.process = try ChildProcess(
            program, ["serve"],
            environment: [
                "DATA_DIR": directory, "BROKER_PORT": "0", "TICKETS_PORT": "0", "OPS_PORT": "0", "LOG_LEVEL": "warning",
            ],
            log: log)
        let greeting = try self.process.output(until: "  app secret")
        func said(_ what: String) throws -> Substring {
            let line = greeting.split(separator: "\n").first { $0.hasPrefix("  \(what) ") }
            guard let word = line?.split(separator: " ").last else { throw Failure("the greeting names no \(what)") }
            return word
        }
        func port(_ what: String) throws -> Int {
            guard let port = try Int(said(what).split(separator: ":").last ?? "") else {
                throw Failure("the greeting names no port of the \(what)")
            }
            return port
        }
        self.brokerPort = try port("broker")
        self.ticketsPort = try port("ticket API")
        self.appKey = try String(said("app key"))
    }

    func stop() {
        self.process.stop()
    }

    /// Makes an account at the command line and logs in. The token.
    func account(email: String, role: String) throws -> String {
        let command = try ChildProcess(
            self.program, ["user", "create", "--email", email, "--role", role, "--data-dir", self.directory],
            input: "benchmark password\n", log: self.log)
        guard command.wait() == 0 else { throw Failure("no account could be made; see \(self.log)") }
        let client = try HTTPClient(port: self.ticketsPort)
        defer { client.socket.close() }
        let body = #"{"email":"\#(email)","password":"benchmark password"}"#
        let answer = try client.json(HTTPClient.request("POST", "/login", token: nil, json: body), expected: 200)
        guard let token = answer["token"] as? String else { throw Failure("no token in the answer to the login") }
        return token
    }
}

/// This program's `bare` server.
struct BareProcess {
    let process: ChildProcess
    let port: Int

    init(log: String) throws {
        self.process = try ChildProcess("/proc/self/exe", ["bare"], log: log)
        let said = try self.process.output(until: "port ")
        guard let port = Int(said.split(whereSeparator: \.isWhitespace).last ?? "") else {
            throw Failure("the bare server said: \(said)")
        }
        self.port = port
    }

    func stop() {
        self.process.stop()
    }
}
