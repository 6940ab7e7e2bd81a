import GRDB
import NIOHTTP1
import Testing

/// A token that the server remembers is believed no longer than its row is there.
@Suite(.timeLimit(.minutes(3)))
struct RememberedTokenTests {
    private static let requests: [(method: HTTPMethod, path: String, body: String?)] = [
        (.GET, "/tickets/1", nil), (.POST, "/tickets/1/chat/messages", #"{"content":"x"}"#),
        (.POST, "/tickets/1/chat/messages", "{"), (.POST, "/tickets/1/chat/messages", "{}"),
    ]

    @Test("ACC: a token that was used before is nothing after its end, whoever ended it and whatever the body")
    func end() async throws {
        try await TicketHarness.run { api in
            let database = try TicketHarness.database(in: api.directory)
            let ada = try await api.customer("Ada")
            #expect(try await api.ticket(of: ada) == 1)
            let login = #"{"email":"\#(ada.email)","password":"long enough"}"#
            for byOther in [false, true] {
                let token = try #require(try await api.call(.POST, "/login", json: login).json["token"].string)
                for request in Self.requests.prefix(2) {
                    let reply = try await api.call(request.method, request.path, token: token, json: request.body)
                    #expect(reply.status < 300)
                }
                if byOther {
                    try await database.write { try $0.execute(sql: "DELETE FROM tokens WHERE id > 0") }
                } else {
                    #expect(try await api.call(.POST, "/logout", token: token).status == 200)
                }
                for request in Self.requests {
                    let reply = try await api.call(request.method, request.path, token: token, json: request.body)
                    #expect(reply.status == 401, "\(request)")
                }
            }
        }
    }

    @Test("ACC: a role that another process took away is gone with the next request")
    func role() async throws {
        try await TicketHarness.run { api in
            let database = try TicketHarness.database(in: api.directory)
            let (root, ada) = (try await api.admin(), try await api.customer("Ada"))
            let id = try await api.ticket(of: ada)
            #expect(try await api.call(.GET, "/tickets/\(id)", token: root.token).status == 200)
            try await database.write { try $0.execute(sql: "UPDATE users SET role = 'customer' WHERE id > 0") }
            #expect(try await api.call(.GET, "/tickets/\(id)", token: root.token).status == 404)
        }
    }
}
