import Foundation
import NIOHTTP1
import Testing
import TicketAPI

/// Bodies that come late, do not come, or come without end.
@Suite(.timeLimit(.minutes(3)))
struct RequestBodyTests {
    private static let ticket = #"{"subject":"S","description":"D","category":"General","priority":"Low"}"#

    private static func head(
        _ line: String, token: String? = nil, type: String = "application/json", length: Int, _ more: String...
    ) -> String {
        let fields =
            ["Host: x", "Content-Type: \(type)", "Content-Length: \(length)"]
            + (token.map { ["Authorization: Bearer \($0)"] } ?? []) + more
        return "\(line) HTTP/1.1\r\n\(fields.joined(separator: "\r\n"))\r\n\r\n"
    }

    @Test("HTTP-18: a client that asks whether to send its body is told so at once, or is refused without it")
    func continued() async throws {
        try await TicketHarness.run { api in
            let ada = try await api.customer("Ada")
            try await RawConnection.open(port: api.port) { connection in
                let length = Self.ticket.utf8.count
                for _ in 0..<2 {
                    try await connection.send(
                        Self.head("POST /tickets", token: ada.token, length: length, "Expect: 100-continue"))
                    let asked = try await connection.answer()
                    #expect(asked == "HTTP/1.1 100 Continue\r\n\r\n")
                    try await connection.send(Self.ticket)
                    let answer = try await connection.answer()
                    #expect(answer.hasPrefix("HTTP/1.1 201 "))
                }
                // Who does not wait is not told.
                try await connection.send(
                    Self.head("POST /tickets", token: ada.token, length: length, "Expect: 100-continue")
                        + Self.ticket)
                let last = try await connection.answer()
                #expect(last.hasPrefix("HTTP/1.1 201 ") || last == "HTTP/1.1 100 Continue\r\n\r\n")
            }
            for (head, status) in [
                (Self.head("POST /tickets", length: 5, "Expect: 100-continue"), 401),
                (Self.head("POST /nowhere", length: 5, "Expect: 100-continue"), 404),
                (Self.head("POST /login", length: 9_999_999, "Expect: 100-continue"), 413),
            ] {
                try await RawConnection.open(port: api.port) { connection in
                    try await connection.send(head)
                    let answer = try await connection.answer()
                    #expect(answer.hasPrefix("HTTP/1.1 \(status) "))
                }
            }
        }
    }

    @Test("HTTP-19: the rest of a refused body is read over, and the connection goes on")
    func shortRest() async throws {
        try await TicketHarness.run { api in
            try await RawConnection.open(port: api.port) { connection in
                let body = String(repeating: "x", count: 3 << 20)
                for _ in 0..<3 {
                    try await connection.send(Self.head("POST /login", length: body.utf8.count))
                    let answer = try await connection.answer()
                    #expect(answer.hasPrefix("HTTP/1.1 413 "))
                    try await connection.send(body)
                }
                try await connection.send("GET /up HTTP/1.1\r\nHost: x\r\n\r\n")
                let answer = try await connection.answer()
                #expect(answer.hasPrefix("HTTP/1.1 200 "))
            }
        }
    }

    @Test(
        "HTTP-19: a refused body without end ends the connection",
        arguments: ["POST /login", "POST /tickets", "POST /nowhere", "GET /up"])
    func endlessRest(line: String) async throws {
        try await TicketHarness.run { api in
            try await RawConnection.open(port: api.port) { connection in
                try await connection.send(Self.head(line, length: 1 << 40))
                _ = try await connection.answer()
                let piece = String(repeating: "x", count: 1 << 20)
                var pieces = 0
                do {
                    while pieces < 512 {
                        try await connection.send(piece)
                        pieces += 1
                    }
                } catch {
                    // The connection is closed.
                }
                // 11 MiB, and what the kernel holds of what nobody reads.
                #expect(pieces < 512)
            }
        }
    }

    @Test("HTTP-19: a refused body that comes drop by drop ends the connection")
    func slowRest() async throws {
        try await TicketHarness.run(configure: { $0.idleLimit = .milliseconds(300) }) { api in
            try await RawConnection.open(port: api.port) { connection in
                try await connection.send(Self.head("POST /nowhere", length: 100_000))
                _ = try await connection.answer()
                var drops = 0
                do {
                    while drops < 300 {
                        try await connection.send("x")
                        drops += 1
                        try await Task.sleep(for: .milliseconds(20))
                    }
                } catch {
                    // The connection is closed.
                }
                #expect(drops < 300)
            }
        }
    }

    @Test("HTTP-20: a body with above 1,000 fields is 413")
    func fields() async throws {
        try await TicketHarness.run { api in
            for (count, status) in [(1000, 422), (1001, 413)] {
                let names = (0..<count).map { "f\($0)" }
                let json = "{\(names.map { "\"\($0)\":[]" }.joined(separator: ","))}"
                let form = names.map { "\($0)=1" }.joined(separator: "&")
                let replies = [
                    try await api.call(.POST, "/login", json: json), try await api.call(.POST, "/login", form: form),
                ]
                #expect(replies.map(\.status) == [status, status])
            }
        }
    }

    @Test("HTTP-21: no JSON may be taken for something else")
    func sniffing() async throws {
        try await TicketHarness.run { api in
            for path in ["/up", "/tickets", "/<script>", "/openapi.json"] {
                let reply = try await api.call(.GET, path)
                #expect(reply.headers.first(name: "X-Content-Type-Options") == "nosniff", "\(path)")
            }
        }
    }

    @Test("ACC-20: a token that ends while the body is on its way is over at the body's end, and leaves no file")
    func endedMeanwhile() async throws {
        try await TicketHarness.run { api in
            let ada = try await api.customer("Ada")
            let id = try await api.ticket(of: ada)
            let part = "--b\r\nContent-Disposition: form-data; name="
            let pdf = "%PDF-1.7 a document"
            let form =
                "\(part)\"subject\"\r\n\r\nS\r\n\(part)\"description\"\r\n\r\nD\r\n\(part)\"category\"\r\n\r\nGeneral\r\n"
                + "\(part)\"priority\"\r\n\r\nLow\r\n\(part)\"attachment\"; filename=\"a.pdf\"\r\n\r\n\(pdf)\r\n--b--\r\n"
            for (line, type, body) in [
                ("POST /tickets", "application/json", Self.ticket),
                ("POST /tickets", "multipart/form-data; boundary=b", form),
                ("POST /tickets", "application/x-www-form-urlencoded", "subject=S"),
                ("PATCH /tickets/\(id)", "application/json", #"{"subject":"Mine"}"#),
                ("POST /tickets/\(id)/comments", "application/json", #"{"content":"x"}"#),
                ("POST /tickets/\(id)/chat/messages", "application/json", #"{"content":"x"}"#),
                ("POST /broadcasting/user-auth", "application/json", #"{"socket_id":"1.2"}"#),
            ] {
                let login = #"{"email":"\#(ada.email)","password":"long enough"}"#
                let token = try #require(try await api.call(.POST, "/login", json: login).json["token"].string)
                try await RawConnection.open(port: api.port) { connection in
                    try await connection.send(
                        Self.head(line, token: token, type: type, length: body.utf8.count, "Expect: 100-continue"))
                    // Now the server knows who asks.
                    let asked = try await connection.answer()
                    #expect(asked == "HTTP/1.1 100 Continue\r\n\r\n")
                    #expect(try await api.call(.POST, "/logout", token: token).status == 200)
                    try await connection.send(body)
                    let answer = try await connection.answer()
                    #expect(answer.hasPrefix("HTTP/1.1 401 "), "\(line) \(type)")
                }
            }
            #expect(try await api.call(.GET, "/tickets", token: ada.token).json["meta"]["total"].int == 1)
            let files = try FileManager.default.contentsOfDirectory(atPath: "\(api.directory)/attachments")
            #expect(files.isEmpty)
        }
    }

    @Test("ACC-20: a role that ends while the body is on its way is over at the body's end")
    func demotedMeanwhile() async throws {
        try await TicketHarness.run { api in
            let (root, other, ada) = (
                try await api.admin(), try await api.admin("Other"), try await api.customer("Ada")
            )
            let id = try await api.ticket(of: ada)
            let body = #"{"status":"Closed"}"#
            try await RawConnection.open(port: api.port) { connection in
                try await connection.send(
                    Self.head(
                        "PATCH /tickets/\(id)", token: other.token, length: body.utf8.count, "Expect: 100-continue"))
                let asked = try await connection.answer()
                #expect(asked == "HTTP/1.1 100 Continue\r\n\r\n")
                let reply = try await api.call(
                    .PATCH, "/users/\(other.id)", token: root.token, json: #"{"role":"customer"}"#)
                #expect(reply.status == 200)
                try await connection.send(body)
                let answer = try await connection.answer()
                #expect(answer.hasPrefix("HTTP/1.1 404 "))
            }
        }
    }

    @Test("COOK-4: files that come with a wrong CSRF token are refused before they are read")
    func wrongToken() async throws {
        try await TicketHarness.run { api in
            let (ada, browser) = (try await api.customer("Ada"), Browser(api))
            try await browser.logIn(ada.email)
            try await RawConnection.open(port: api.port) { connection in
                try await connection.send(
                    Self.head(
                        "POST /tickets", type: "multipart/form-data; boundary=b", length: 5 << 20,
                        "Cookie: \(browser.cookieHeader)", "X-XSRF-TOKEN: \(String(repeating: "0", count: 64))",
                        "Expect: 100-continue"))
                let answer = try await connection.answer()
                #expect(answer.hasPrefix("HTTP/1.1 419 "))
            }
        }
    }
}
