internal import PusherPublisher

/// Shows what was done to a ticket.
struct ReadActivity: Sendable {
    let store: TicketStore

    /// A page of the entries that this user may read, and how many of them there are.
    func callAsFunction(
        ofTicket id: Int64, for user: User, _ page: Result<PageRequest, TicketFailure>
    ) async throws -> JSONPage {
        try await self.store.read { tables in
            _ = try tables.visibleTicket(id, to: user)
            let page = try page.get()
            let items =
                user.isAdmin
                ? try tables.staffActivity(of: id, page).map(\.staffJSON)
                : try tables.sharedActivity(of: id, page).map(\.json)
            return JSONPage(
                request: page, items: items, total: try tables.activityCount(of: id, includingInternal: user.isAdmin))
        }
    }
}
