import Dispatch
import GRDB
import NIOHTTP1
import Testing

@testable import TicketAPI

@Suite(.timeLimit(.minutes(3)))
struct TelemetryTests {
    @Test("Requests are counted by the route of the table and the status, and no label holds what a client sent")
    func requests() async throws {
        try await TicketHarness.run { api in
            let ada = try await api.customer("Ada")
            let ticket = try await api.ticket(of: ada)
            _ = try await api.call(.GET, "/tickets/\(ticket)", token: ada.token)
            _ = try await api.call(.GET, "/api/tickets/999", token: ada.token)
            _ = try await api.call(.GET, "/tickets/\(ticket)")
            _ = try await api.call(.GET, "/canary")
            _ = try await api.call(.DELETE, "/login?canary")
            _ = try await api.call(.POST, "/tickets/\(ticket)", token: ada.token, form: "_method=PATCH&status=canary")
            let counted = api.metrics.filter { $0.hasPrefix("switchboard_tickets_http_requests_total") }
            for line in [
                #"{route="GET /tickets/{id}",status="200"} 1"#, #"{route="GET /tickets/{id}",status="404"} 1"#,
                #"{route="GET /tickets/{id}",status="401"} 1"#, #"{route="POST /register",status="201"} 1"#,
                #"{route="other",status="404"} 1"#, #"{route="other",status="405"} 1"#,
            ] {
                #expect(counted.contains("switchboard_tickets_http_requests_total\(line)"), "\(counted)")
            }
            #expect(counted.contains { $0.contains(#"{route="PATCH /tickets/{id}",status="4"#) })
            #expect(!api.metrics.contains { $0.contains("canary") })
        }
    }

    @Test("Writes are timed; what waits in the outbox is counted with its age, and calls of the broker by outcome")
    func outbox() async throws {
        try await TicketHarness.run { api in
            let ada = try await api.customer("Ada")
            let ticket = try await api.ticket(of: ada)
            _ = await api.broker.waitForEvents(2)
            try await api.metric(gone: #"switchboard_tickets_publish_calls_total{outcome="accepted"} 0"#)
            try await api.metric("switchboard_tickets_outbox_events 0")
            #expect(!api.metrics.contains("switchboard_tickets_database_write_seconds_count 0"))
            try await api.broker.stop()
            #expect(try await api.post("waits", to: ticket, as: ada).status == 201)
            try await api.metric("switchboard_tickets_outbox_events 1")
            try await api.metric(gone: "switchboard_tickets_outbox_age_seconds 0.0")
            try await api.metric(gone: #"switchboard_tickets_publish_calls_total{outcome="failed"} 0"#)
            try await api.broker.start()
            try await api.metric("switchboard_tickets_outbox_events 0")
        }
    }

    @Test("A writer that is kept from the database is stuck, while reads go on; once it commits again it is well")
    func stuckWriter() async throws {
        try await TicketHarness.run(configure: { $0.writerLimit = .seconds(2) }) { api in
            let other = try TicketHarness.database(in: api.directory)
            let end = DispatchSemaphore(value: 0)
            let holder = Task {
                await withCheckedContinuation { continuation in
                    DispatchQueue.global().async {
                        // Fails only where the database is gone, and then nothing gets stuck.
                        try? other.inTransaction(.immediate) { _ in
                            end.wait()
                            return .commit
                        }
                        continuation.resume()
                    }
                }
            }
            while api.stuck.isEmpty { try await Task.sleep(for: .milliseconds(20)) }
            #expect(api.stuck.contains("ticket database writer"))
            #expect(try await api.call(.GET, "/up").status == 200)
            end.signal()
            await holder.value
            while !api.stuck.isEmpty { try await Task.sleep(for: .milliseconds(20)) }
            try other.close()
            _ = try await api.customer("Ada")
        }
    }
}

@Suite(.timeLimit(.minutes(3)))
struct TicketLimitTests {
    @Test("LIM-5: a connection too many is answered 503 and closed; the others go on, and one that goes makes room")
    func connections() async throws {
        // The harness's own client keeps one.
        try await TicketHarness.run(configure: { $0.maxConnections = 2 }) { api in
            #expect(try await api.call(.GET, "/up").status == 200)
            let request = "GET /up HTTP/1.1\r\nHost: x\r\n\r\n"
            try await RawConnection.open(port: api.port) { kept in
                try await kept.send(request)
                var answer = try await kept.answer()
                #expect(answer.hasPrefix("HTTP/1.1 200 "))
                try await RawConnection.open(port: api.port) { refused in
                    try await refused.send(request)
                    let answer = try await refused.answer()
                    #expect(answer.hasPrefix("HTTP/1.1 503 ") && answer.contains("Too many connections."))
                    #expect(answer.contains("Connection: close") || answer.contains("connection: close"))
                    #expect(try await refused.answer() == "")
                }
                try await kept.send(request)
                answer = try await kept.answer()
                #expect(answer.hasPrefix("HTTP/1.1 200 "))
            }
            try await api.metric("switchboard_tickets_connections 1")
            let answer = try await RawRequest.send(request, port: api.port)
            #expect(answer.hasPrefix("HTTP/1.1 200 "))
        }
    }

    @Test("LIM-6: an upload too many is answered 503 before its body; what else is asked is answered")
    func uploads() async throws {
        try await TicketHarness.run(configure: { $0.maxUploads = 1 }) { api in
            let ada = try await api.customer("Ada")
            @Sendable func head(_ length: Int) -> String {
                "POST /tickets HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer \(ada.token)\r\n"
                    + "Content-Type: \(Form.contentType)\r\nContent-Length: \(length)\r\n\r\n"
            }
            try await RawConnection.open(port: api.port) { first in
                try await first.send(head(1000) + "--limit\r\n")
                try await api.metric("switchboard_tickets_uploads 1")
                let answer = try await RawRequest.send(head(1000), port: api.port)
                #expect(answer.hasPrefix("HTTP/1.1 503 ") && answer.lowercased().contains("retry-after: 1"))
                #expect(try await api.call(.GET, "/tickets", token: ada.token).status == 200)
            }
            try await api.metric("switchboard_tickets_uploads 0")
            #expect(try await api.send(Form.ticket.file(Sample.png()), to: "/tickets", as: ada).status == 201)
        }
    }
}
