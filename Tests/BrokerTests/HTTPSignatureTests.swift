import Broker
import BrokerCore
import PusherProtocol
import Support
import Testing

@Suite("HTTP API: signatures")
struct HTTPSignatureTests {
    private static let event = #"{"name":"n","channel":"c","data":"d"}"#
    private static let path = "/apps/4711/events"

    private static func request(_ vector: RequestVectors.Request, query: String) -> String {
        "\(vector.method) \(vector.path)?\(query) HTTP/1.1\r\nHost: t\r\n"
            + "Content-Length: \(vector.body.utf8.count)\r\n\r\n\(vector.body)"
    }

    @Test(
        "P116, P121, P122: the vectors are accepted in every spelling; with one digit changed they are 401",
        arguments: try RequestVectors.load().requests)
    func vectors(vector: RequestVectors.Request) async throws {
        try await TestBroker.run { broker in
            let http = try await broker.raw()
            for query in vector.queries {
                try await http.send(Self.request(vector, query: query))
                // V10 shows how arrays are signed; what it asks for does not exist.
                #expect(try await http.answer().status == (vector.id == "V10" ? 400 : 200))
            }
            let last = vector.signature.last == "0" ? "1" : "0"
            let changed = vector.queries[0].replacing(vector.signature, with: vector.signature.dropLast() + last)
            try await http.send(Self.request(vector, query: changed))
            let refused = try await http.answer()
            #expect(refused.status == 401)
            let quoted = vector.stringToSign.replacing("\n", with: "\\n")
            #expect(
                refused.body == "Invalid signature: you should have sent HmacSHA256Hex(\"\(quoted)\", "
                    + "your_secret_key), but you sent \"\(vector.signature.dropLast() + last)\"\n")
            #expect(refused.fields["content-type"] == "text/plain; charset=utf-8")
        }
    }

    @Test("P117–P120, P124: who may not call is told so")
    func verification() async throws {
        let other = AppCredentials(id: "4712", key: "other-key", secret: AppSecret("other"))
        try await TestBroker.run(others: [Application(credentials: other)]) { broker in
            let good = signedRequest("POST", Self.path, body: Self.event)
            func signed(at time: Int64) -> String {
                signedRequest("POST", Self.path, body: Self.event, timestamp: TestBroker.now + time)
            }
            let turned = good.replacing("?auth_key=", with: "?auth_version=1.0&auth_key=")
                .replacing("&auth_version=1.0", with: "")
            let table = [
                (good, 200, "{}"), (turned, 200, "{}"), (signed(at: -599), 200, "{}"),
                (
                    signed(at: -601), 401,
                    "Timestamp expired: Given timestamp (2023-11-14T22:03:19Z)"
                        + " not within 600s of server time (2023-11-14T22:13:20Z)\n"
                ),
                (
                    signed(at: 601), 401,
                    "Timestamp expired: Given timestamp (2023-11-14T22:23:21Z)"
                        + " not within 600s of server time (2023-11-14T22:13:20Z)\n"
                ),
                (good.replacing(#""data":"d""#, with: #""data":"e""#), 401, "body_md5 is not the MD5 of the body\n"),
                (
                    signedRequest("POST", Self.path, body: Self.event, credentials: other), 401,
                    "Unknown auth_key for this app\n"
                ),
                (
                    good.replacing("/apps/4711/", with: "/apps/9/"), 404,
                    "No app with this id exists on this server\n"
                ),
                (signedRequest("POST", "/apps/4711/nothing", body: "{}"), 404, "Not found\n"),
                (good.replacing("auth_version=1.0", with: "auth_version=%zz"), 400, "Query string is malformed\n"),
            ]
            for (request, status, body) in table {
                let http = try await broker.raw()
                try await http.send(request)
                let answer = try await http.answer()
                #expect(answer.status == status && answer.body == body)
                http.cut()
            }
        }
    }

    @Test(
        "P118, P123: a request without one of the parameters that sign it is 401",
        arguments: ["auth_key", "auth_timestamp", "auth_version", "auth_signature", "body_md5"])
    func missing(name: String) async throws {
        try await TestBroker.run { broker in
            let http = try await broker.raw()
            try await http.send(signedRequest("POST", Self.path, body: Self.event).replacing("\(name)=", with: "x="))
            let answer = try await http.answer()
            #expect(answer.status == 401)
            #expect(name == "body_md5" || answer.body == "\(name) parameter is required\n")
        }
    }

    @Test("P118: a body that was not announced by the signature is 401")
    func unsignedBody() async throws {
        try await TestBroker.run { broker in
            let http = try await broker.raw()
            let empty = signedRequest("POST", Self.path)
            try await http.send(empty.replacing("Content-Length: 0\r\n\r\n", with: "Content-Length: 2\r\n\r\n{}"))
            let answer = try await http.answer()
            #expect(answer.status == 401 && answer.body == "body_md5 parameter is required for a request with a body\n")
        }
    }

    @Test("P121: GETs that carry the MD5 of nothing are accepted, as the Python SDK sends them")
    func emptyDigest() async throws {
        try await TestBroker.run { broker in
            let http = try await broker.raw()
            for (path, body) in [
                ("channels", #"{"channels":{}}"#), ("channels/presence-ops", #"{"occupied":false}"#),
                ("channels/presence-ops/users", #"{"users":[]}"#),
            ] {
                let answer = try await http.get(path, "body_md5=d41d8cd98f00b204e9800998ecf8427e")
                #expect(answer.status == 200 && answer.body == body)
                #expect(answer.fields["content-type"] == "application/json")
            }
        }
    }

    @Test("8.2: a disabled app is 403 for those who can sign, and 401 for others")
    func disabled() async throws {
        try await TestBroker.run(application: TestBroker.application(isEnabled: false)) { broker in
            let http = try await broker.raw()
            let answer = try await http.get("channels")
            #expect(answer.status == 403 && answer.body == "This app is disabled\n")
            let forged = AppCredentials(id: "4711", key: TestBroker.credentials.key, secret: AppSecret("x"))
            #expect(try await http.call("GET", "/apps/4711/channels", credentials: forged).status == 401)
        }
    }
}
