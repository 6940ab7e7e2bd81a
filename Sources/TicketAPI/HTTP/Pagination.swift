internal import Hummingbird
internal import PusherPublisher

/// Where the pages of a list are: its URL with the query of the request, but for the page.
struct PageLink {
    let path: String
    private let query: String

    init(_ call: Call) {
        self.path = call.root + call.path
        self.query = FormCoding.pairs(call.request.uri.query ?? "")
            .filter { $0.name != "page" }
            .map { "\(FormCoding.encode($0.name))=\(FormCoding.encode($0.value))&" }
            .joined()
    }

    func callAsFunction(_ page: Int64) -> String { "\(self.path)?\(self.query)page=\(page)" }
}

/// Laravel's answer for one page of a list.
struct Pagination {
    private let items: [JSON]
    private let total: Int64
    private let page: Int64
    private let perPage: Int64
    private let link: PageLink

    init(_ page: JSONPage, link: PageLink) {
        (self.items, self.total) = (page.items, page.total)
        (self.page, self.perPage) = (page.request.number, page.request.perPage)
        self.link = link
    }

    private var lastPage: Int64 { max(1, (self.total + self.perPage - 1) / self.perPage) }
    private var previous: JSON { self.page > 1 ? .string(self.link(self.page - 1)) : .null }
    private var next: JSON { self.page < self.lastPage ? .string(self.link(self.page + 1)) : .null }

    var json: JSON {
        // The page is within the list when it is not empty, so this cannot overflow.
        let from = self.items.isEmpty ? nil : (self.page - 1) * self.perPage + 1
        return [
            "data": .array(self.items),
            "links": [
                "first": .string(self.link(1)), "last": .string(self.link(self.lastPage)), "prev": self.previous,
                "next": self.next,
            ],
            "meta": [
                "current_page": .int(self.page), "from": .optional(from), "last_page": .int(self.lastPage),
                "links": .array(self.buttons), "path": .string(self.link.path), "per_page": .int(self.perPage),
                "to": .optional(from.map { $0 + Int64(self.items.count) - 1 }), "total": .int(self.total),
            ],
        ]
    }

    /// The buttons of a paginator: previous, pages, next.
    private var buttons: [JSON] {
        let pages = self.window.map { page -> JSON in
            guard let page else { return Self.button(url: .null, label: "...", isActive: false) }
            return Self.button(
                url: .string(self.link(page)), label: String(page), isActive: page == self.page)
        }
        return [Self.button(url: self.previous, label: "&laquo; Previous", isActive: false)] + pages
            + [Self.button(url: self.next, label: "Next &raquo;", isActive: false)]
    }

    private static func button(url: JSON, label: String, isActive: Bool) -> JSON {
        ["url": url, "label": .string(label), "active": .bool(isActive)]
    }

    /// The pages with a button, as Laravel chooses them with three on each side; nil where some are left out.
    private var window: [Int64?] {
        let last = self.lastPage
        guard last >= 14 else { return Array(1...last) }
        let (firstTwo, lastTwo): ([Int64?], [Int64?]) = ([1, 2], [last - 1, last])
        if self.page <= 7 { return Array(1...10) + [nil] + lastTwo }
        if self.page > last - 7 { return firstTwo + [nil] + Array(last - 9...last) }
        return firstTwo + [nil] + Array(self.page - 3...self.page + 3) + [nil] + lastTwo
    }
}

/// One page of a list as its reader may see it.
struct JSONPage: Sendable {
    let request: PageRequest
    let items: [JSON]
    /// How many there are on all pages.
    let total: Int64
}
