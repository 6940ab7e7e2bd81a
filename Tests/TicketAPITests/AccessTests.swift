import NIOHTTP1
import Testing

@testable import TicketAPI

/// Who may do what: every route, asked by everybody, against one table. A route that is not in the table fails the test.
@Suite(.timeLimit(.minutes(3)))
struct AccessTests {
    enum Caller: CaseIterable { case guest, stranger, owner, admin }

    /// What a route answers to a guest, a stranger (a customer to whom nothing of it belongs), the owner, an admin.
    struct Row: Sendable {
        let route: String
        let statuses: [Int]
        /// The request's fields, for a world.
        let body: @Sendable (World) -> String?

        init(_ route: String, _ statuses: Int..., body: @escaping @Sendable (World) -> String? = { _ in nil }) {
            self.route = route
            self.statuses = statuses
            self.body = body
        }
    }

    /// A ticket with everything that belongs to one, its owner, and a stranger.
    struct World: Sendable {
        let owner: TicketHarness.Account
        let stranger: TicketHarness.Account
        let admin: TicketHarness.Account
        let ticket: Int64
        let attachment: Int64
        let message: Int64
        let ownersToken: Int64
        let name: String
    }

    static let table: [Row] = [
        Row("GET /up", 200, 200, 200, 200),
        Row("GET /openapi.json", 200, 200, 200, 200),
        Row("GET /sanctum/csrf-cookie", 204, 204, 204, 204),
        Row("POST /register", 201, 201, 201, 201) { world in
            """
            {"name":"New","email":"new-\(world.name)@example.com","password":"long enough",
            "password_confirmation":"long enough","role":"admin","id":1}
            """
        },
        Row("POST /login", 200, 200, 200, 200) { #"{"email":"\#($0.owner.email)","password":"long enough"}"# },
        Row("POST /logout", 401, 200, 200, 200),
        Row("GET /user", 401, 200, 200, 200),
        Row("PUT /user/password", 401, 200, 200, 200) { _ in
            """
            {"current_password":"long enough","password":"longer still","password_confirmation":"longer still"}
            """
        },
        Row("GET /user/tokens", 401, 200, 200, 200),
        Row("DELETE /user/tokens/{id}", 401, 404, 204, 404),
        Row("GET /tickets", 401, 200, 200, 200),
        Row("POST /tickets", 401, 201, 201, 201) { _ in
            #"{"subject":"S","description":"D","category":"General","priority":"Low"}"#
        },
        Row("GET /tickets/{id}", 401, 404, 200, 200),
        Row("PUT /tickets/{id}", 401, 404, 200, 200) { _ in #"{"subject":"Changed"}"# },
        Row("PATCH /tickets/{id}", 401, 404, 403, 200) { _ in #"{"status":"Resolved"}"# },
        Row("DELETE /tickets/{id}", 401, 404, 403, 204),
        Row("GET /tickets/{id}/comments", 401, 404, 200, 200),
        Row("POST /tickets/{id}/comments", 401, 404, 201, 201) { _ in #"{"content":"A comment."}"# },
        Row("GET /tickets/{id}/activity", 401, 404, 200, 200),
        Row("GET /attachments/{id}", 401, 404, 200, 200),
        Row("GET /tickets/{id}/chat", 401, 404, 200, 200),
        Row("POST /tickets/{id}/chat/messages", 401, 404, 201, 201) { _ in #"{"content":"A message."}"# },
        Row("POST /tickets/{id}/chat/read", 401, 404, 200, 200) { #"{"message_id":\#($0.message)}"# },
        Row("POST /broadcasting/auth", 401, 403, 200, 200) {
            #"{"socket_id":"1.2","channel_name":"private-chat.\#($0.ticket)"}"#
        },
        Row("POST /broadcasting/user-auth", 401, 200, 200, 200) { _ in #"{"socket_id":"1.2"}"# },
        Row("GET /users", 401, 403, 403, 200),
        Row("PATCH /users/{id}", 401, 403, 403, 200) { _ in #"{"role":"customer"}"# },
        Row("GET /stats", 401, 403, 403, 200),
    ]

    @Test("ACL-1: every route answers a guest, a stranger, the owner and an admin as the table says")
    func everyRouteForEverybody() async throws {
        try await TicketHarness.run { api in
            #expect(Set(Self.table.map(\.route)) == Set(api.routes))
            let admin = try await api.admin()
            for (line, row) in Self.table.enumerated() {
                for (column, caller) in Caller.allCases.enumerated() {
                    let world = try await Self.world(named: "\(line)-\(column)", api, admin: admin)
                    let reply = try await Self.ask(row, as: caller, in: world, api)
                    #expect(reply.status == row.statuses[column], "\(row.route) as \(caller): \(reply.text)")
                }
            }
        }
    }

    @Test("ACL-2: to a stranger, what belongs to another answers in every byte as what does not exist")
    func strangersLearnNothing() async throws {
        try await TicketHarness.run { api in
            let admin = try await api.admin()
            for (line, row) in Self.table.enumerated() where row.statuses[1] == 404 {
                let world = try await Self.world(named: "\(line)", api, admin: admin)
                let there = try await Self.ask(row, as: .stranger, in: world, api)
                let nowhere = try await Self.ask(row, as: .stranger, in: world, api, id: 999_999)
                #expect(there.status == nowhere.status && there.text == nowhere.text, "\(row.route)")
                #expect(there.headers.map(\.name) == nowhere.headers.map(\.name), "\(row.route)")
            }
        }
    }

    private static func world(
        named name: String, _ api: TicketHarness, admin: TicketHarness.Account
    ) async throws -> World {
        let owner = try await api.customer("Owner\(name)")
        let opened = try await api.send(Form.ticket.file(Sample.png()), to: "/tickets", as: owner)
        guard let ticket = opened.json["data"]["id"].int else { throw Unexpected(opened) }
        let message = try await api.post("Hello", to: ticket, as: owner)
        guard let attachment = opened.json["data"]["attachments"][0]["id"].int,
            let message = message.json["data"]["id"].int,
            let token = owner.token.split(separator: "|").first.flatMap({ Int64($0) })
        else { throw Unexpected(opened) }
        return World(
            owner: owner, stranger: try await api.customer("Stranger\(name)"), admin: admin, ticket: ticket,
            attachment: attachment, message: message, ownersToken: token, name: name)
    }

    private static func ask(
        _ row: Row, as caller: Caller, in world: World, _ api: TicketHarness, id: Int64? = nil
    ) async throws -> TicketHarness.Reply {
        let parts = row.route.split(separator: " ")
        var path = String(parts[1])
        let owned =
            if path.hasPrefix("/user/tokens") {
                world.ownersToken
            } else if path.hasPrefix("/users") {
                world.owner.id
            } else if path.hasPrefix("/attachments") {
                world.attachment
            } else {
                world.ticket
            }
        path.replace("{id}", with: "\(id ?? owned)")
        var token: String? =
            switch caller {
            case .guest: nil
            case .stranger: world.stranger.token
            case .owner: world.owner.token
            case .admin: world.admin.token
            }
        // These end the token, and the admin is needed again.
        if caller == .admin, row.route == "POST /logout" || row.route == "PUT /user/password" {
            token = try await api.admin("Admin\(world.name)").token
        }
        return try await api.call(
            HTTPMethod(rawValue: String(parts[0])), path, token: token, json: row.body(world))
    }
}
