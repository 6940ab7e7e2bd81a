import AsyncHTTPClient
import NIOCore
import NIOHTTP1
import Testing

@Suite(.timeLimit(.minutes(3)))
struct HTTPTests {
    @Test("HTTP-1, HTTP-8, HTTP-9: an unknown path is 404, a wrong method 405 with Allow, an id that is none 404")
    func routing() async throws {
        try await TicketHarness.run { api in
            let ada = try await api.customer("Ada")
            for path in ["/", "/api", "/nope", "/tickets/1/nope", "//tickets", "/api/api/tickets", "/ticketsx"] {
                let reply = try await api.call(.GET, path, token: ada.token)
                #expect(reply.status == 404, "\(path)")
                #expect(reply.json["message"].string?.isEmpty == false)
            }
            for id in ["0", "-1", "01", "+1", "x", "1.5", "99999999999999999999", "%31"] {
                #expect(try await api.call(.GET, "/tickets/\(id)", token: ada.token).status == 404, "\(id)")
            }
            for (method, path, allow) in [
                (HTTPMethod.GET, "/login", "POST"), (.DELETE, "/user", "GET, HEAD"),
                (.PUT, "/tickets", "GET, HEAD, POST"),
                (.POST, "/tickets/1", "GET, HEAD, PUT, PATCH, DELETE"), (.OPTIONS, "/up", "GET, HEAD"),
            ] {
                let reply = try await api.call(method, path)
                #expect(reply.status == 405, "\(path)")
                #expect(reply.headers.first(name: "Allow") == allow)
                #expect(reply.json["message"].string?.isEmpty == false)
            }
            #expect(try await api.call(.GET, "/api/up/").status == 200)
            #expect(try await api.call(.GET, "/up").headers.first(name: "Content-Type") == "application/json")
            let head = try await api.call(.HEAD, "/user", token: ada.token)
            #expect(head.status == 200 && head.text.isEmpty)
        }
    }

    @Test(
        "HTTP-2, HTTP-4, HTTP-5: a body that is not JSON is 400, of another type 415, too large 413 before it is read"
    )
    func bodies() async throws {
        try await TicketHarness.run { api in
            let ada = try await api.customer("Ada")
            for body in ["{", "{]", "nonsense", String(repeating: "[", count: 100_000)] {
                let reply = try await api.call(.POST, "/tickets", token: ada.token, json: body)
                #expect(reply.status == 400, "\(body.prefix(20))")
                #expect(reply.json == ["message": "The request body is not valid JSON."])
            }
            for body in ["[]", "null", "5", "\"x\"", "", "{\"subject\":\"\\ud800\"}"] {
                #expect(try await api.call(.POST, "/tickets", token: ada.token, json: body).status == 422, "\(body)")
            }
            var request = HTTPClientRequest(url: "http://127.0.0.1:\(api.port)/tickets")
            request.method = .POST
            request.headers = ["Authorization": "Bearer \(ada.token)", "Content-Type": "text/plain"]
            request.body = .bytes(ByteBuffer(string: "hello"))
            #expect(try await HTTPClient.shared.execute(request, timeout: .seconds(10)).status == .unsupportedMediaType)
            request.headers.remove(name: "Content-Type")
            #expect(try await HTTPClient.shared.execute(request, timeout: .seconds(10)).status == .unsupportedMediaType)

            // Only its length is sent: the answer does not wait for the body.
            let answer = try await RawRequest.send(
                "POST /login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 9999999\r\n\r\n",
                port: api.port)
            #expect(answer.hasPrefix("HTTP/1.1 413 "))
            #expect(answer.hasSuffix(#"{"message":"The request body is too large."}"#))
            let broken = try await RawRequest.send(
                "POST /login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
                    + "Transfer-Encoding: chunked\r\n\r\nzz\r\n", port: api.port)
            #expect(broken.hasPrefix("HTTP/1.1 400 "))
            #expect(broken.firstMatch(of: /HTTP\/1.1.*HTTP\/1.1/.dotMatchesNewlines()) == nil)
            let large = try await api.call(
                .POST, "/tickets", token: ada.token, json: "\"" + String(repeating: "x", count: 1 << 20) + "\"")
            #expect(large.status == 413)
        }
    }

    @Test("HTTP-10: a guarded route asks who is there before it looks at the body")
    func credentialsFirst() async throws {
        try await TicketHarness.run { api in
            for (method, path) in [
                (HTTPMethod.GET, "/user"), (.POST, "/logout"), (.GET, "/tickets"), (.POST, "/tickets"),
                (.GET, "/tickets/1"), (.PUT, "/tickets/1"), (.PATCH, "/tickets/1"), (.DELETE, "/tickets/1"),
                (.GET, "/tickets/1/chat"), (.POST, "/tickets/1/chat/messages"), (.POST, "/broadcasting/auth"),
            ] {
                for prefix in ["", "/api"] {
                    let reply = try await api.call(method, prefix + path, json: method == .GET ? nil : "{")
                    #expect(reply.status == 401, "\(method) \(path)")
                    #expect(reply.json == ["message": "Unauthenticated."])
                }
            }
        }
    }
}
