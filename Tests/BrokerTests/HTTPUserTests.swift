import Broker
import BrokerCore
import PusherProtocol
import Testing

@Suite("HTTP API: users")
struct HTTPUserTests {
    @Test(
        "P148: a user's connections are terminated, by the documented path and by the Python SDK's",
        arguments: [
            "/apps/4711/users/u-17/terminate_connections", "/users/u-17/terminate_connections",
            "/apps/4711/users/u%2D17/terminate_connections",
        ])
    func terminate(path: String) async throws {
        let other = AppCredentials(id: "4712", key: "other-key", secret: AppSecret("other"))
        try await TestBroker.run(others: [Application(credentials: other)]) { broker in
            let first = try await broker.client()
            let second = try await broker.client()
            let stranger = try await broker.client()
            try await first.signIn(#"{"id":"u-17"}"#)
            try await second.signIn(#"{"id":"u-17"}"#)
            try await stranger.signIn(#"{"id":"u-18"}"#)
            let http = try await broker.raw()
            let answer = try await http.call("POST", path, body: "{}")
            #expect(answer.status == 200 && answer.body == "{}")
            #expect(answer.fields["content-type"] == "application/json")
            #expect(try await first.closeCode() == 4009)
            #expect(try await second.closeCode() == 4009)
            try await stranger.expectNothingMore()
            // Nobody is there any more, which is no error; a body is not needed.
            #expect(try await http.call("POST", path, body: "{}").body == "{}")
            #expect(try await http.call("POST", path).body == "{}")
        }
    }

    @Test("P148: who does not hold the app's secret terminates nobody, by neither path")
    func forged() async throws {
        let other = AppCredentials(id: "4712", key: "other-key", secret: AppSecret("other"))
        let forged = AppCredentials(id: "4711", key: TestBroker.credentials.key, secret: AppSecret("x"))
        let unknown = AppCredentials(id: "4713", key: "unknown", secret: AppSecret("x"))
        try await TestBroker.run(others: [Application(credentials: other)]) { broker in
            let client = try await broker.client()
            try await client.signIn(#"{"id":"u-17"}"#)
            let http = try await broker.raw()
            let short = "/users/u-17/terminate_connections"
            for (credentials, path, status) in [
                (other, "/apps/4711" + short, 401), (forged, "/apps/4711" + short, 401), (forged, short, 401),
                // The other app's own user of that name.
                (other, short, 200), (other, "/apps/4712" + short, 200),
            ] {
                #expect(try await http.call("POST", path, credentials: credentials).status == status)
            }
            let answer = try await http.call("POST", short, credentials: unknown)
            #expect(answer.status == 401 && answer.body == "auth_key is not the key of an app on this server\n")
            try await http.send("POST \(short) HTTP/1.1\r\nHost: t\r\nContent-Length: 0\r\n\r\n")
            #expect(try await http.answer().status == 401)
            // What was signed for the one path does not hold for the other.
            try await http.send(
                signedRequest("POST", "/apps/4711" + short).replacing("POST /apps/4711/", with: "POST /"))
            #expect(try await http.answer().status == 401)
            #expect(try await http.call("GET", short).status == 405)
            #expect(try await http.call("POST", "/users/u-17").status == 404)
            try await client.expectNothingMore()
        }
    }

    @Test(
        "P148: an id that no user can have is 400",
        arguments: ["", "a%20b", "%C3%A9", "a%2", "a%ff", "%23a", "a%2Fb", String(repeating: "u", count: 201)])
    func malformed(id: String) async throws {
        try await TestBroker.run { broker in
            let http = try await broker.raw()
            for prefix in ["/apps/4711", ""] {
                let answer = try await http.call("POST", "\(prefix)/users/\(id)/terminate_connections", body: "{}")
                #expect(answer.status == 400 && answer.body == "Invalid user id\n")
            }
            let longest = String(repeating: "u", count: 200)
            #expect(try await http.post("users/\(longest)/terminate_connections").status == 200)
        }
    }
}
