import NIOHTTP1
import Testing

@Suite(.timeLimit(.minutes(3)))
struct TicketTests {
    @Test("TIC-2: a ticket begins Open, is shown whole, and ignores what its opener may not set")
    func create() async throws {
        try await TicketHarness.run { api in
            let ada = try await api.customer("Ada")
            let reply = try await api.call(
                .POST, "/api/tickets", token: ada.token,
                json: """
                    {"subject":" Broken ","description":"It is.","category":"Billing","priority":"High",
                     "status":"Closed","assigned_to":1,"user_id":99}
                    """)
            #expect(reply.status == 201)
            let ticket = reply.json["data"]
            #expect(
                ticket.keys == [
                    "id", "subject", "description", "category", "priority", "status", "user", "assignee",
                    "attachments", "comments_count", "messages_count", "unread_count", "created_at", "updated_at",
                ])
            #expect(ticket["subject"] == "Broken")
            #expect(ticket["status"] == "Open")
            #expect(ticket["assignee"] == nil)
            #expect(ticket["user"] == ["id": .int(ada.id), "name": "Ada", "role": "customer"])
            #expect(ticket["attachments"] == [])
            #expect(ticket["created_at"] == ticket["updated_at"])
            let id = try #require(ticket["id"].int)
            #expect(try await api.call(.GET, "/tickets/\(id)", token: ada.token).text == reply.text)
        }
    }

    @Test("HTTP-6, HTTP-7, HTTP-11: what is wrong with a ticket is said in Laravel's words")
    func createTexts() async throws {
        try await TicketHarness.run { api in
            let ada = try await api.customer("Ada")
            let empty = try await api.call(.POST, "/tickets", token: ada.token, json: "{}")
            #expect(empty.status == 422)
            #expect(empty.json["message"] == "The subject field is required. (and 3 more errors)")
            let wrong = try await api.call(
                .POST, "/tickets", token: ada.token,
                json: """
                    {"subject":"\(String(repeating: "x", count: 256))","description":"   ","category":"Fun",
                     "priority":"Urgent"}
                    """)
            #expect(
                wrong.json["errors"] == [
                    "subject": ["The subject field must not be greater than 255 characters."],
                    "description": ["The description field is required."],
                    "category": ["The selected category is invalid."],
                    "priority": ["The selected priority is invalid."],
                ])
            let one = try await api.call(
                .POST, "/tickets", token: ada.token,
                json: #"{"subject":"a\u0000b","description":"d","category":"General","priority":"Low"}"#)
            #expect(one.json["message"] == "The subject field format is invalid.")
            #expect(try await api.call(.GET, "/tickets", token: ada.token).json["meta"]["total"] == 0)
        }
    }

    @Test(
        "TIC-3 to TIC-5, HTTP-3: only sent fields change, by an owner until it is Closed; admins have more"
    )
    func update() async throws {
        try await TicketHarness.run { api in
            let ada = try await api.customer("Ada")
            let root = try await api.admin()
            let id = try await api.ticket(of: ada)
            let path = "/tickets/\(id)"

            let changed = try await api.call(.PATCH, path, token: ada.token, json: #"{"priority":"High","id":9}"#)
            #expect(changed.status == 200)
            #expect(changed.json["data"]["priority"] == "High")
            #expect(changed.json["data"]["subject"] == "Broken")
            #expect(changed.json["data"]["id"] == .int(id))
            #expect(changed.json["data"]["updated_at"] != changed.json["data"]["created_at"])

            for body in [#"{"status":"Closed"}"#, #"{"assigned_to":1}"#, #"{"subject":"","status":"nonsense"}"#] {
                let reply = try await api.call(.PUT, path, token: ada.token, json: body)
                #expect(reply.status == 403)
                #expect(reply.json == ["message": "This action is unauthorized."])
            }

            let managed = try await api.call(
                .PUT, path, token: root.token, json: #"{"status":"In Progress","assigned_to":\#(root.id)}"#)
            #expect(managed.json["data"]["status"] == "In Progress")
            #expect(managed.json["data"]["assignee"] == ["id": .int(root.id), "name": "Root", "role": "admin"])

            for assignee in ["\(ada.id)", "999", "\"x\""] {
                let reply = try await api.call(
                    .PATCH, path, token: root.token, json: #"{"assigned_to":\#(assignee)}"#)
                #expect(reply.status == 422)
                #expect(reply.json["errors"].keys == ["assigned_to"])
            }
            let emptied = try await api.call(.PATCH, path, token: root.token, json: #"{"subject":null}"#)
            #expect(emptied.json["errors"] == ["subject": ["The subject field is required."]])

            let form = try await api.call(
                .POST, path, token: root.token, form: "_method=patch&assigned_to=&status=Closed")
            #expect(form.json["data"]["assignee"] == nil)
            #expect(form.json["data"]["status"] == "Closed")

            #expect(try await api.call(.PATCH, path, token: ada.token, json: #"{"subject":"X"}"#).status == 403)
            let byAdmin = try await api.call(.PATCH, path, token: root.token, json: #"{"subject":"X"}"#)
            #expect(byAdmin.json["data"]["subject"] == "X")
        }
    }

    @Test("TIC-6, HTTP-3: a deleted ticket is gone, chat included, and its id does not come back")
    func delete() async throws {
        try await TicketHarness.run { api in
            let ada = try await api.customer("Ada")
            let root = try await api.admin()
            let id = try await api.ticket(of: ada)
            _ = try await api.post("hello", to: id, as: ada)
            let reply = try await api.call(.POST, "/tickets/\(id)", token: root.token, form: "_method=DELETE")
            #expect(reply.status == 204 && reply.text.isEmpty)
            #expect(try await api.call(.GET, "/tickets/\(id)", token: ada.token).status == 404)
            #expect(try await api.call(.GET, "/tickets/\(id)/chat", token: root.token).status == 404)
            #expect(try await api.ticket(of: ada) > id)
        }
    }

    /// A route, what is sent to it, and the status for the owner, another customer, an admin and nobody.
    struct Access: Sendable, CustomStringConvertible {
        let method: String
        let path: String
        let body: String?
        let owner: Int
        let stranger: Int
        let admin: Int

        var description: String { "\(method) \(path) \(body ?? "")" }
    }

    @Test(
        "TIC-1, TIC-4, TIC-6: who may do what: a stranger's ticket is 404 on every route",
        arguments: [
            Access(method: "GET", path: "", body: nil, owner: 200, stranger: 404, admin: 200),
            Access(method: "PUT", path: "", body: #"{"subject":"S"}"#, owner: 200, stranger: 404, admin: 200),
            Access(method: "PATCH", path: "", body: #"{"status":"Resolved"}"#, owner: 403, stranger: 404, admin: 200),
            Access(method: "PATCH", path: "", body: #"{"subject":""}"#, owner: 422, stranger: 404, admin: 422),
            Access(method: "DELETE", path: "", body: nil, owner: 403, stranger: 404, admin: 204),
            Access(method: "GET", path: "/chat", body: nil, owner: 200, stranger: 404, admin: 200),
            Access(method: "GET", path: "/chat?limit=0", body: nil, owner: 422, stranger: 404, admin: 422),
            Access(
                method: "POST", path: "/chat/messages", body: #"{"content":"hi"}"#, owner: 201, stranger: 404,
                admin: 201),
            Access(method: "POST", path: "/chat/messages", body: "{}", owner: 422, stranger: 404, admin: 422),
        ])
    func access(_ access: Access) async throws {
        try await TicketHarness.run { api in
            let ada = try await api.customer("Ada")
            let bob = try await api.customer("Bob")
            let root = try await api.admin()
            let id = try await api.ticket(of: ada)
            func status(_ token: String?, _ id: Int64 = id) async throws -> Int {
                try await api.call(
                    .init(rawValue: access.method), "/tickets/\(id)\(access.path)", token: token, json: access.body
                ).status
            }
            #expect(try await status(nil) == 401)
            #expect(try await status(bob.token) == access.stranger)
            #expect(try await status(bob.token, 999) == 404)
            #expect(try await status(ada.token) == access.owner)
            #expect(try await status(root.token) == access.admin)
        }
    }

    @Test("TIC-11: a list leaves out a description above 5,000 characters and says so; the ticket itself has it")
    func longDescriptions() async throws {
        try await TicketHarness.run { api in
            let ada = try await api.customer("Ada")
            let descriptions = [5000, 5001].map { String(repeating: "😀", count: $0) }
            for description in descriptions {
                let reply = try await api.call(
                    .POST, "/tickets", token: ada.token,
                    json: """
                        {"subject":"s","description":"\(description)","category":"Technical","priority":"Low"}
                        """)
                #expect(reply.json["data"]["description"] == .string(description))
            }
            let list = try await api.call(.GET, "/tickets?sort=created_at", token: ada.token).json["data"]
            #expect(list[0]["description"] == .string(descriptions[0]))
            #expect(list[0].keys.contains("truncated") == false)
            #expect(list[1].keys == list[0].keys.union(["truncated"]))
            #expect(list[1]["description"] == nil)
            #expect(list[1]["truncated"] == true)
            let id = try #require(list[1]["id"].int)
            let shown = try await api.call(.GET, "/tickets/\(id)", token: ada.token)
            #expect(shown.json["data"]["description"] == .string(descriptions[1]))
            #expect(shown.json["data"].keys == list[0].keys)
        }
    }

    @Test("TIC-7: a customer lists the own tickets, an admin all; pages are Laravel's")
    func list() async throws {
        try await TicketHarness.run { api in
            let ada = try await api.customer("Ada")
            let bob = try await api.customer("Bob")
            let root = try await api.admin()
            for index in 1...3 { _ = try await api.ticket(of: ada, subject: "A\(index)") }
            let bobs = try await api.ticket(of: bob, subject: "B")

            let own = try await api.call(.GET, "/api/tickets?per_page=2&sort=created_at", token: ada.token)
            #expect(own.status == 200)
            #expect(own.json.keys == ["data", "links", "meta"])
            #expect(own.json["data"].items.map { $0["subject"] } == ["A1", "A2"])
            let base = "http://127.0.0.1:\(api.port)/api/tickets"
            let link = { (page: Int) in Value.string("\(base)?per_page=2&sort=created_at&page=\(page)") }
            #expect(own.json["links"] == ["first": link(1), "last": link(2), "prev": nil, "next": link(2)])
            #expect(
                own.json["meta"] == [
                    "current_page": 1, "from": 1, "last_page": 2, "path": .string(base), "per_page": 2, "to": 2,
                    "total": 3,
                    "links": [
                        ["url": nil, "label": "&laquo; Previous", "active": false],
                        ["url": link(1), "label": "1", "active": true],
                        ["url": link(2), "label": "2", "active": false],
                        ["url": link(2), "label": "Next &raquo;", "active": false],
                    ],
                ])

            let past = try await api.call(.GET, "/tickets?page=7", token: ada.token)
            #expect(past.json["data"] == [])
            #expect(past.json["meta"]["from"] == nil && past.json["meta"]["to"] == nil)
            #expect(past.json["meta"]["current_page"] == 7)
            let far = try await api.call(.GET, "/tickets?page=9223372036854775807", token: ada.token)
            #expect(far.status == 200 && far.json["data"] == [])

            let all = try await api.call(.GET, "/tickets", token: root.token)
            #expect(all.json["data"].items.map { $0["subject"] } == ["B", "A3", "A2", "A1"])
            let filtered = try await api.call(.GET, "/tickets?user_id=\(bob.id)", token: root.token)
            #expect(filtered.json["data"].items.map { $0["id"] } == [.int(bobs)])
            let foreign = try await api.call(.GET, "/tickets?user_id=\(bob.id)", token: ada.token)
            #expect(foreign.json["meta"]["total"] == 0)
        }
    }

    @Test("TIC-8, TIC-9: lists are filtered and sorted; priority and status by meaning")
    func filtersAndSorts() async throws {
        try await TicketHarness.run { api in
            let ada = try await api.customer("Ada")
            let root = try await api.admin()
            for (subject, priority, status) in [
                ("1", "High", "Closed"), ("2", "Low", "Open"), ("3", "Medium", "Resolved"), ("4", "Low", "In Progress"),
            ] {
                let id = try await api.ticket(of: ada, subject: subject)
                let assignee = subject == "4" ? "\(root.id)" : "null"
                _ = try await api.call(
                    .PATCH, "/tickets/\(id)", token: root.token,
                    json: #"{"priority":"\#(priority)","status":"\#(status)","assigned_to":\#(assignee)}"#)
            }
            func subjects(_ query: String) async throws -> String {
                let reply = try await api.call(.GET, "/tickets?\(query)", token: root.token)
                return reply.json["data"].items.compactMap { $0["subject"].string }.joined()
            }
            #expect(try await subjects("") == "4321")
            #expect(try await subjects("sort=created_at") == "1234")
            #expect(try await subjects("sort=-updated_at") == "4321")
            #expect(try await subjects("sort=priority") == "2431")
            #expect(try await subjects("sort=-priority") == "1342")
            #expect(try await subjects("sort=status") == "2431")
            #expect(try await subjects("sort=-status") == "1342")
            #expect(try await subjects("priority=Low&sort=created_at") == "24")
            #expect(try await subjects("status=In%20Progress") == "4")
            #expect(try await subjects("status=In+Progress&priority=High") == "")
            #expect(try await subjects("category=Technical&priority=Medium") == "3")
            #expect(try await subjects("assigned_to=me") == "4")
            #expect(try await subjects("assigned_to=\(root.id)") == "4")
            #expect(try await subjects("assigned_to=none") == "321")

            for (query, field) in [
                ("status=open", "status"), ("priority=1", "priority"), ("category=x", "category"),
                ("sort=subject", "sort"), ("sort=--status", "sort"), ("page=0", "page"), ("page=x", "page"),
                ("per_page=101", "per_page"), ("per_page=0", "per_page"), ("assigned_to=you", "assigned_to"),
                ("user_id=x", "user_id"),
            ] {
                let reply = try await api.call(.GET, "/tickets?\(query)", token: root.token)
                #expect(reply.status == 422, "\(query)")
                #expect(reply.json["errors"].keys == [field], "\(query)")
            }
        }
    }
}
