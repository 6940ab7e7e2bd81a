import Foundation
import FoundationNetworking
import Telemetry
import Testing

@testable import Runner

/// The port for operators, asked as Prometheus and Kubernetes ask it.
@Suite struct OpsServerTests {
    private struct Answer {
        let status: Int
        let type: String
        let body: String
    }

    private static func run(
        _ health: Health,
        _ body: (_ ask: (_ method: String, _ path: String) async throws -> Answer) async throws -> Void
    ) async throws {
        let server = try await OpsServer.bind(host: "127.0.0.1", port: 0, health: health) {
            var text = MetricsText()
            ProcessMetrics.write(health, to: &text)
            return text.text
        }
        let running = Task { try await server.run() }
        try await body { method, path in
            let url = try #require(URL(string: "http://127.0.0.1:\(server.port)\(path)"))
            var request = URLRequest(url: url)
            request.httpMethod = method
            let (data, response) = try await URLSession.shared.data(for: request)
            let answer = try #require(response as? HTTPURLResponse)
            return Answer(
                status: answer.statusCode, type: answer.value(forHTTPHeaderField: "Content-Type") ?? "",
                body: String(decoding: data, as: UTF8.self))
        }
        running.cancel()
        try await running.value
    }

    @Test("A server that is well is live, ready and up")
    func well() async throws {
        try await Self.run(Health(pulses: [Pulse("loop", limit: .seconds(600))])) { ask in
            for (path, word) in [("/live", "live"), ("/ready", "ready"), ("/up", "up"), ("/live?verbose", "live")] {
                let answer = try await ask("GET", path)
                #expect(answer.status == 200 && answer.body == "{\"status\":\"\(word)\"}\n")
                #expect(answer.type == "application/json")
            }
            let head = try await ask("HEAD", "/live")
            #expect(head.status == 200 && head.body.isEmpty)
            #expect(try await ask("POST", "/live").status == 405)
            #expect(try await ask("GET", "/").status == 404)
        }
    }

    @Test("What is stuck makes it neither live nor ready, and is named; it stays up")
    func stuck() async throws {
        let (well, stuck) = (Pulse("writer", limit: .seconds(600)), Pulse("event loop 3", limit: .milliseconds(1)))
        while stuck.stuckForSeconds == nil { try await Task.sleep(for: .milliseconds(1)) }
        try await Self.run(Health(pulses: [well, stuck])) { ask in
            for path in ["/live", "/ready"] {
                let answer = try await ask("GET", path)
                #expect(answer.status == 503)
                #expect(answer.body.hasPrefix(#"{"status":"stuck","stuck":[{"what":"event loop 3","silent_seconds":"#))
                #expect(!answer.body.contains("writer"))
            }
            #expect(try await ask("GET", "/up").status == 200)
            #expect(try await ask("GET", "/metrics").body.contains("switchboard_live 0\n"))
            stuck.end()
            #expect(try await ask("GET", "/live").status == 200)
        }
    }

    @Test("A server that goes down is not ready, but live")
    func draining() async throws {
        let health = Health(pulses: [])
        try await Self.run(health) { ask in
            health.drain()
            let answer = try await ask("GET", "/ready")
            #expect(answer.status == 503 && answer.body == "{\"status\":\"draining\"}\n")
            #expect(try await ask("GET", "/live").status == 200)
            #expect(try await ask("GET", "/metrics").body.contains("\nswitchboard_ready 0\n"))
        }
    }

    @Test("The process says what it takes of the machine")
    func process() async throws {
        try await Self.run(Health(pulses: [])) { ask in
            let answer = try await ask("GET", "/metrics")
            #expect(answer.status == 200 && answer.type == "text/plain; version=0.0.4; charset=utf-8")
            func value(_ name: String) throws -> Double {
                let line = try #require(answer.body.split(separator: "\n").first { $0.hasPrefix("\(name) ") })
                return try #require(Double(line.dropFirst(name.utf8.count + 1)))
            }
            #expect(try value("process_resident_memory_bytes") > 1_000_000)
            #expect(try value("process_cpu_seconds_total") > 0)
            #expect(try (3...10_000).contains(value("process_open_fds")))
            #expect(try value("process_max_fds") >= value("process_open_fds"))
            #expect(try abs(value("process_start_time_seconds") - Date().timeIntervalSince1970) < 36_000)
        }
    }
}
