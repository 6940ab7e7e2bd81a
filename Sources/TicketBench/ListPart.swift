import Foundation

/// How long lists and searches take when there are many tickets.
struct ListPart {
    let switchboard: String
    let tickets: Int
    let requests: Int

    /// Name and query; `{n}` is the last page of ten.
    private static let adminShapes = [
        ("unfiltered", ""),
        ("page 50", "?page=50"),
        ("last page", "?page={last}"),
        ("100 on a page", "?per_page=100"),
        ("status", "?status=In%20Progress"),
        ("priority", "?priority=High"),
        ("category", "?category=Billing"),
        ("assigned to me", "?assigned_to=me"),
        ("assigned to nobody", "?assigned_to=none"),
        ("owner", "?user_id=10"),
        ("status, priority, category", "?status=Open&priority=Low&category=General"),
        ("sort created_at", "?sort=created_at"),
        ("sort updated_at", "?sort=updated_at"),
        ("sort -updated_at", "?sort=-updated_at"),
        ("sort priority", "?sort=priority"),
        ("sort -priority", "?sort=-priority"),
        ("sort status", "?sort=status"),
        ("sort -status", "?sort=-status"),
        ("status, sort -priority", "?status=Open&sort=-priority"),
        ("search: rare word", "?q=zeppelin"),
        ("search: common word", "?q=printer"),
        ("search: two words", "?q=printer%20invoice"),
        ("search: no such word", "?q=xylophone"),
        ("search and status", "?q=printer&status=Open"),
    ]

    private static let customerShapes = [
        ("own", ""),
        ("own, status", "?status=Open"),
        ("own, search: common word", "?q=printer"),
    ]

    func run(in workspace: Workspace, _ report: inout Report) throws {
        let directory = try workspace.directory("lists")
        let log = workspace.path("lists.log")
        // The server makes the schema, then the file is filled while it is away.
        var server = try SwitchboardServer(program: self.switchboard, directory: directory, log: log)
        let admin: String
        let customer: String
        do {
            defer { server.stop() }
            admin = try server.account(email: "admin@example.org", role: "admin")
            customer = try server.account(email: "customer@example.org", role: "customer")
        }
        Progress.say("writing \(self.tickets) tickets with three messages each")
        try TicketFile(directory: directory).fill(tickets: self.tickets)

        server = try SwitchboardServer(program: self.switchboard, directory: directory, log: log)
        defer { server.stop() }
        let client = try HTTPClient(port: server.ticketsPort)
        defer { client.socket.close() }
        for (reader, token, shapes) in [
            ("admin", admin, Self.adminShapes), ("customer", customer, Self.customerShapes),
        ] {
            for (name, query) in shapes {
                Progress.say("lists: \(reader), \(name)")
                let path = "/tickets" + query.replacingOccurrences(of: "{last}", with: "\((self.tickets + 9) / 10)")
                report.lists.append(try self.measure("\(reader): \(name)", path, token, client))
            }
        }
    }

    private func measure(_ name: String, _ path: String, _ token: String, _ client: HTTPClient) throws -> Report.List {
        let request = HTTPClient.request("GET", path, token: token)
        let answer = try client.json(request, expected: 200)
        let total = (answer["meta"] as? [String: Any])?["total"] as? Int ?? -1
        var times: [Int64] = []
        for _ in 0..<self.requests {
            let start = Clock.now
            guard try client.status(request) == 200 else { throw Failure("\(path) was refused") }
            times.append(Clock.now - start)
        }
        return Report.List(name: name, path: path, total: total, times: Times(times))
    }
}
