internal import FoundationEssentials
internal import GRDB

extension Tables {
    /// One page, and how many tickets there are on all pages. A description that is longer than a list shows comes cut
    /// to one code point more.
    func tickets(_ query: TicketQuery, reader: User) throws -> (page: [TicketView], total: Int64) {
        var part = ListPart(query)
        if let text = query.search {
            let found = try self.ticketsFound(text)
            guard !found.isEmpty else { return ([], 0) }
            part.narrow(to: found)
        }
        let total = try part.knownTotal ?? self.count(part)
        // With the number of those that are left as the limit, the search for them ends at the last one.
        let limit = min(query.page.perPage, total - min(query.page.offset, total))
        guard limit > 0 else { return ([], total) }
        let columns = Self.ticketColumns(
            description: "substr(t.description, 1, \(TicketView.maxListedDescription + 1))")
        let order = Self.order(query.sort)
        var page = try self.rows(
            """
            SELECT \(columns), \(Self.counts)
            FROM (
                SELECT t.id FROM tickets t \(part.pageIndex) WHERE \(part.condition) ORDER BY \(order) LIMIT ? OFFSET ?
            ) AS page CROSS JOIN \(Self.ticketTables)
            WHERE t.id = page.id ORDER BY \(order)
            """,
            Self.countArguments(reader) + part.arguments + [limit, query.page.offset]
        ) { TicketView(row: $0) }
        let attachments = try self.attachments(ofTickets: page.map(\.ticket.id))
        for index in page.indices { page[index].attachments = attachments[page[index].ticket.id] ?? [] }
        return (page, total)
    }

    private func count(_ part: ListPart) throws -> Int64 {
        try self.row("SELECT count(*) FROM tickets t \(part.countIndex) WHERE \(part.condition)", part.arguments) {
            $0[0] as Int64
        } ?? 0
    }

    private static func order(_ sort: TicketQuery.Sort) -> String {
        let direction = sort.isDescending ? "DESC" : "ASC"
        return "t.\(sort.column.rawValue) \(direction), t.id \(direction)"
    }
}

/// Which tickets a list is about, and by which indexes they are found. The indexes are named, because without
/// statistics SQLite takes the first filter that has one, and sorts what it finds.
private struct ListPart {
    private(set) var condition: String
    private(set) var arguments: StatementArguments
    /// Where the tickets are counted: those of the filter that leaves the fewest.
    private(set) var countIndex: String
    /// Where the page is looked for: in the list's order, except among one owner's tickets.
    private(set) var pageIndex: String
    /// How many there are, where that is known without counting them.
    private(set) var knownTotal: Int64?
    private let isUnfiltered: Bool

    /// Up to this many found tickets are looked at one by one, instead of all tickets in the list's order.
    private static let maxReadOneByOne = 500

    init(_ query: TicketQuery) {
        var terms = ["TRUE"]
        var arguments: StatementArguments = []
        func add(_ column: String, _ value: Int64?) {
            guard let value else { return }
            terms.append("t.\(column) = ?")
            arguments += [value]
        }
        add("user_id", query.visibleTo)
        add("user_id", query.owner)
        add("status", query.status?.rawValue)
        add("priority", query.priority?.rawValue)
        add("category", query.category?.rawValue)
        switch query.assignee {
        case .some(.user(let id)): add("assignee_id", id)
        case .some(.nobody): terms.append("t.assignee_id IS NULL")
        case nil: break
        }
        self.isUnfiltered = terms.count == 1
        self.condition = terms.joined(separator: " AND ")
        self.arguments = arguments
        let hasOwner = query.visibleTo != nil || query.owner != nil
        self.countIndex = "INDEXED BY tickets_by_\(Self.filter(query, hasOwner: hasOwner))"
        self.pageIndex = "INDEXED BY tickets_by_\(hasOwner ? "owner" : query.sort.column.index)"
    }

    private static func filter(_ query: TicketQuery, hasOwner: Bool) -> String {
        if hasOwner { return "owner" }
        if query.assignee != nil { return "assignee" }
        if query.status != nil { return "status" }
        if query.priority != nil { return "priority" }
        return "category"
    }

    mutating func narrow(to found: TicketSet) {
        let count = found.count
        if self.isUnfiltered { self.knownTotal = Int64(count) }
        guard count > Self.maxReadOneByOne else {
            let ids = found.ids.map(String.init).joined(separator: ",")
            self.condition = "t.id IN (SELECT value FROM json_each(?)) AND \(self.condition)"
            self.arguments = ["[\(ids)]"] + self.arguments
            (self.countIndex, self.pageIndex) = ("NOT INDEXED", "NOT INDEXED")
            return
        }
        self.condition += " AND in_ticket_set(?, t.id)"
        self.arguments += [Data(found.bytes)]
    }
}

extension TicketQuery.Sort.Column {
    /// What its index is called after.
    fileprivate var index: String {
        switch self {
        case .createdAt: "creation"
        case .updatedAt: "update"
        case .priority: "priority"
        case .status: "status"
        }
    }
}
