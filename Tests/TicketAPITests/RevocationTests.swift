import GRDB
import NIOHTTP1
import Testing

@testable import TicketAPI

@Suite(.timeLimit(.minutes(5)))
struct RevocationTests {
    /// What the command line does while the server runs.
    private static func elsewhere<T: Sendable>(
        _ api: TicketHarness, _ body: @escaping @Sendable (Tables) throws -> T
    ) throws -> T {
        try TicketStore.withTables(dataDirectory: api.directory, body)
    }

    /// Another token of the same account.
    private static func secondToken(_ api: TicketHarness, _ account: TicketHarness.Account) async throws -> String {
        let reply = try await api.call(
            .POST, "/login", json: #"{"email":"\#(account.email)","password":"long enough"}"#)
        return try #require(reply.json["token"].string)
    }

    @Test("REV-1, ACC-8: a logout closes the connections of that token for good, and those of another token stay")
    func logout() async throws {
        try await LiveBroker.run { api, broker in
            let ada = try await api.customer("Ada")
            let ticket = try await api.ticket(of: ada)
            let other = try await Self.secondToken(api, ada)
            let (first, second, staying) = (
                try await broker.socket(), try await broker.socket(), try await broker.socket()
            )
            try await first.join("private-chat.\(ticket)", api, token: ada.token)
            try await second.join("private-App.Models.User.\(ada.id)", api, token: ada.token)
            try await staying.join("private-chat.\(ticket)", api, token: other)
            #expect(try await api.call(.POST, "/logout", token: ada.token).status == 200)
            #expect(await first.waitForClose() == 4009)
            #expect(await second.waitForClose() == 4009)
            let later = TicketHarness.Account(id: ada.id, token: other, email: ada.email)
            _ = try await api.post("later", to: ticket, as: later)
            #expect(try await staying.next("NewMessage").json["message"]["content"] == "later")
        }
    }

    @Test("REV-1, REV-5: a connection for which only a sign-in was signed ends with its token, too")
    func signIn() async throws {
        try await LiveBroker.run { api, broker in
            let ada = try await api.customer("Ada")
            let socket = try await broker.socket()
            let reply = try await api.call(
                .POST, "/broadcasting/user-auth", token: ada.token,
                json: #"{"socket_id":"\#(await socket.socketID)"}"#)
            #expect(reply.status == 200)
            #expect(try await api.call(.POST, "/logout", token: ada.token).status == 200)
            #expect(await socket.waitForClose() == 4009)
        }
    }

    @Test("REV-1, REV-7: tokens that another process takes away end their connections, the kept one does not")
    func otherProcess() async throws {
        try await LiveBroker.run { api, broker in
            let ada = try await api.customer("Ada")
            let other = try await Self.secondToken(api, ada)
            let (ending, staying) = (try await broker.socket(), try await broker.socket())
            try await ending.join("private-App.Models.User.\(ada.id)", api, token: ada.token)
            try await staying.join("private-App.Models.User.\(ada.id)", api, token: other)
            let kept = try #require(Int64(other.prefix { $0 != "|" }))
            try Self.elsewhere(api) { try $0.revokeTokens(of: ada.id, except: kept) }
            #expect(await ending.waitForClose() == 4009)
            try await staying.ping()
        }
    }

    @Test("REV-2: a demotion closes all of the user's connections with 4200, and nothing of admins is signed again")
    func demotion() async throws {
        try await LiveBroker.run { api, broker in
            let root = try await api.admin()
            let socket = try await broker.socket()
            try await socket.join("private-tickets", api, token: root.token)
            let other = try await api.admin("Other")
            let demotion = try await api.call(
                .PATCH, "/users/\(root.id)", token: other.token, json: #"{"role":"customer"}"#)
            #expect(demotion.status == 200)
            #expect(await socket.waitForClose() == 4200)
            let again = try await broker.socket()
            let reply = try await api.call(
                .POST, "/broadcasting/auth", token: root.token,
                json: #"{"socket_id":"\#(await again.socketID)","channel_name":"private-tickets"}"#)
            #expect(reply.status == 403)
            try await again.join("private-App.Models.User.\(root.id)", api, token: root.token)
        }
    }

    @Test("REV-3: a ticket's deletion ends its subscriptions, the connections stay and hear of the deletion")
    func deletion() async throws {
        try await LiveBroker.run { api, broker in
            let root = try await api.admin()
            let ada = try await api.customer("Ada")
            let ticket = try await api.ticket(of: ada)
            let socket = try await broker.socket()
            try await socket.join("private-App.Models.User.\(ada.id)", api, token: ada.token)
            try await socket.join("private-chat.\(ticket)", api, token: ada.token)
            try await socket.join("presence-chat.\(ticket)", api, token: ada.token)
            let joined = await socket.events.count
            try await withThrowingTaskGroup(of: Void.self) { group in
                for index in 0..<8 {
                    group.addTask { for _ in 0..<25 { _ = try await api.post("\(index)", to: ticket, as: ada) } }
                }
                group.addTask {
                    let reply = try await api.call(.DELETE, "/tickets/\(ticket)", token: root.token)
                    #expect(reply.status == 204)
                }
                try await group.waitForAll()
            }
            try await socket.next("TicketDeleted")
            try await socket.ping()
            let events = await socket.events.dropFirst(joined)
            for channel in ["private-chat.\(ticket)", "presence-chat.\(ticket)"] {
                let last = events.last { $0.channel == channel }
                #expect(last?.name == "pusher:subscription_error" && last?.json["status"] == 410)
            }
        }
    }

    @Test("REV-4: of messages posted at full speed, none committed after the revocation reaches the connection")
    func barrier() async throws {
        try await LiveBroker.run { api, broker in
            let ada = try await api.customer("Ada")
            let ticket = try await api.ticket(of: ada)
            for round in 0..<12 {
                let socket = try await broker.socket()
                let token = try await Self.secondToken(api, ada)
                let id = try #require(Int64(token.prefix { $0 != "|" }))
                try await socket.join("private-chat.\(ticket)", api, token: token)
                let writer = Writer()
                let last = try await withThrowingTaskGroup(of: Void.self, returning: Int64.self) { group in
                    for _ in 0..<6 {
                        group.addTask { try await writer.run(api, ticket: ticket, as: ada) }
                    }
                    try await socket.next("NewMessage")
                    // The last message before the revocation, read in its own transaction; another process's, so that
                    // the relay goes on with events before it has heard of it.
                    let last = try Self.elsewhere(api) { tables in
                        let isRevoked = try tables.revokeToken(id, of: ada.id)
                        #expect(isRevoked)
                        return try tables.row("SELECT max(id) FROM messages", []) { $0[0] as Int64 } ?? 0
                    }
                    #expect(await socket.waitForClose() == 4009)
                    writer.stop()
                    try await group.waitForAll()
                    return last
                }
                let received = await socket.events.compactMap { $0.json["message"]["id"].int }
                #expect(!received.isEmpty && received.allSatisfy { $0 <= last }, "round \(round)")
            }
        }
    }

    @Test("REV-5: what is signed while its token is taken away is 401, or ends with the connection")
    func race() async throws {
        try await LiveBroker.run { api, broker in
            let ada = try await api.customer("Ada")
            var outcomes: Set<Int> = []
            for _ in 0..<40 {
                let socket = try await broker.socket()
                let token = try await Self.secondToken(api, ada)
                let channel = "private-App.Models.User.\(ada.id)"
                let body = #"{"socket_id":"\#(await socket.socketID)","channel_name":"\#(channel)"}"#
                async let signing = api.call(.POST, "/broadcasting/auth", token: token, json: body)
                async let leaving = api.call(.POST, "/logout", token: token)
                let (reply, logout) = try await (signing, leaving)
                #expect(logout.status == 200)
                outcomes.insert(reply.status)
                if reply.status == 200 {
                    // It may be closed already.
                    try? await socket.subscribe(channel, signed: reply)
                    #expect(await socket.waitForClose() == 4009)
                } else {
                    #expect(reply.status == 401)
                }
                await socket.cut()
            }
            #expect(outcomes.isSubset(of: [200, 401]))
        }
    }

    @Test("REV-5: a role that was taken away since the request began signs nothing")
    func staleRole() async throws {
        try await TicketHarness.run { api in
            let root = try await api.admin()
            try await api.stop()
            let store = try TicketStore.open(dataDirectory: api.directory)
            let session = try await store.read { tables in
                let id = try #require(Int64(root.token.prefix { $0 != "|" }))
                let known = try #require(try tables.token(id))
                return Session(user: known.user, tokenID: id, kind: .token)
            }
            #expect(session.user.isAdmin)
            try await store.write { tables in
                try tables.db.execute(sql: "UPDATE users SET role = 'customer' WHERE id = ?", arguments: [root.id])
                try tables.disconnect(userID: root.id)
            }
            let grants = SocketGrants(store: store, now: { api.clock.now })
            let isAdmin = try await grants(socketID: "1.2", for: session) { _, user in user.isAdmin }
            #expect(!isAdmin)
            try store.close()
        }
    }

    @Test("REV-6: a logout is answered while the broker is away, and carried out before any later event")
    func brokerAway() async throws {
        try await TicketHarness.run { api in
            let ada = try await api.customer("Ada")
            let ticket = try await api.ticket(of: ada)
            let other = try await Self.secondToken(api, ada)
            _ = await api.broker.waitForEvents(2)
            for socket in ["1.1", "1.2"] {
                let reply = try await api.call(
                    .POST, "/broadcasting/auth", token: other,
                    json: #"{"socket_id":"\#(socket)","channel_name":"private-chat.\#(ticket)"}"#)
                #expect(reply.status == 200)
            }
            try await api.broker.stop()
            _ = try await api.post("before", to: ticket, as: ada)
            #expect(try await api.call(.POST, "/logout", token: other).status == 200)
            for index in 0..<20 { #expect(try await api.post("\(index)", to: ticket, as: ada).status == 201) }
            try await api.broker.start()
            let events = await api.broker.waitForEvents(2 + 21)
            let ended = try #require(api.broker.terminations.first)
            #expect(api.broker.terminations.count == 1)
            #expect(ended.path == "/terminate_connections" && !ended.reconnects)
            #expect(Set(ended.sockets) == ["1.1", "1.2"])
            let later = events.filter { $0.json["message"]["content"].string.flatMap(Int.init) != nil }
            #expect(later.count == 20 && later.allSatisfy { $0.request > ended.request })
        }
    }

    @Test("REV-6: what was revoked just before the server was killed is ended after the next start")
    func restart() async throws {
        try await TicketHarness.run { api in
            let ada = try await api.customer("Ada")
            _ = try await api.call(
                .POST, "/broadcasting/auth", token: ada.token,
                json: #"{"socket_id":"1.1","channel_name":"private-App.Models.User.\#(ada.id)"}"#)
            try await api.broker.stop()
            _ = try await api.call(.POST, "/logout", token: ada.token)
            try await api.stop()
            try await api.broker.start()
            try await api.start()
            await api.broker.wait { $0.terminations.count == 1 }
            #expect(api.broker.terminations.map(\.sockets) == [["1.1"]])
        }
    }

    @Test(
        "REV-8: a server without our calls ends a user's connections when all of them are meant, and holds up no event",
        arguments: [404, 405, 400, 401, 500])
    func fallback(_ status: Int) async throws {
        try await TicketHarness.run { api in
            let ada = try await api.customer("Ada")
            let root = try await api.admin()
            let ticket = try await api.ticket(of: ada)
            api.broker.answerTerminations { $0.hasPrefix("/users/") ? 200 : status }
            _ = await api.broker.waitForEvents(2)
            for (index, token) in [ada.token, root.token].enumerated() {
                let reply = try await api.call(
                    .POST, "/broadcasting/auth", token: token,
                    json: #"{"socket_id":"1.\#(index)","channel_name":"private-chat.\#(ticket)"}"#)
                #expect(reply.status == 200)
            }
            try Self.elsewhere(api) { try $0.disconnect(userID: root.id) }
            await api.broker.wait { $0.terminations.count == 1 }
            #expect(api.broker.terminations.map(\.path) == ["/users/\(root.id)/terminate_connections"])
            // One token of several: nothing that such a server can do, nor can it for a ticket.
            _ = try await api.post("before", to: ticket, as: ada)
            #expect(try await api.call(.POST, "/logout", token: ada.token).status == 200)
            #expect(try await api.call(.DELETE, "/tickets/\(ticket)", token: root.token).status == 204)
            let events = await api.broker.waitForEvents(2 + 1 + 2)
            #expect(events.last?.name == "TicketDeleted")
            #expect(api.broker.terminations.count == 1)
        }
    }

    @Test("REV-8: a server that refuses our signature everywhere ends nothing, and nothing is given up")
    func wrongCredentials() async throws {
        try await TicketHarness.run { api in
            let ada = try await api.customer("Ada")
            let ticket = try await api.ticket(of: ada)
            _ = await api.broker.waitForEvents(2)
            _ = try await api.call(
                .POST, "/broadcasting/auth", token: ada.token,
                json: #"{"socket_id":"1.1","channel_name":"private-chat.\#(ticket)"}"#)
            let other = TicketHarness.Account(
                id: ada.id, token: try await Self.secondToken(api, ada), email: ada.email)
            api.broker.answer { _ in 401 }
            api.broker.answerTerminations { _ in 401 }
            _ = try await api.call(.POST, "/logout", token: ada.token)
            _ = try await api.post("later", to: ticket, as: other)
            await api.broker.wait { $0.refused >= 4 }
            api.broker.answerTerminations { _ in 200 }
            api.broker.answer { _ in 200 }
            let events = await api.broker.waitForEvents(3)
            let ended = try #require(api.broker.terminations.first)
            #expect(ended.sockets == ["1.1"] && (events.last?.request ?? 0) > ended.request)
        }
    }

    @Test("REV-9: a week after it was first signed for, a connection is asked to come back, and is forgotten")
    func age() async throws {
        try await TicketHarness.run { api in
            let ada = try await api.customer("Ada")
            func sign(_ socket: String) async throws {
                let reply = try await api.call(
                    .POST, "/broadcasting/auth", token: ada.token,
                    json: #"{"socket_id":"\#(socket)","channel_name":"private-App.Models.User.\#(ada.id)"}"#)
                #expect(reply.status == 200)
            }
            try await sign("1.1")
            api.clock.advance(seconds: 7 * 24 * 3600 - 60)
            try await sign("1.2")
            api.clock.advance(seconds: 120)
            try await api.stop()
            try await api.start()
            await api.broker.wait { $0.terminations.count == 1 }
            #expect(api.broker.terminations.map(\.sockets) == [["1.1"]])
            #expect(api.broker.terminations.first?.reconnects == true)
            let left = try Self.elsewhere(api) {
                try $0.rows("SELECT socket_id FROM live_sockets WHERE token_id > 0", []) { $0[0] as String }
            }
            #expect(left == ["1.2"])
        }
    }

    @Test("REV-10: a token signs for a thousand connections at once; for one more the oldest is asked to come back")
    func surplus() async throws {
        try await TicketHarness.run { api in
            let ada = try await api.customer("Ada")
            let id = try #require(Int64(ada.token.prefix { $0 != "|" }))
            let old = api.clock.now
            try Self.elsewhere(api) { tables in
                for index in 0..<1000 {
                    try tables.run(
                        "INSERT INTO live_sockets (token_id, socket_id, created_at) VALUES (?, ?, ?)",
                        [id, "7.\(index)", old.microseconds - Int64(index)])
                }
            }
            for _ in 0..<2 {
                let reply = try await api.call(
                    .POST, "/broadcasting/auth", token: ada.token,
                    json: #"{"socket_id":"1.1","channel_name":"private-App.Models.User.\#(ada.id)"}"#)
                #expect(reply.status == 200)
            }
            await api.broker.wait { $0.terminations.count == 1 }
            #expect(api.broker.terminations.map(\.sockets) == [["7.999"]])
            #expect(api.broker.terminations.first?.reconnects == true)
        }
    }
}
