/// Lists accounts and changes their roles, for admins.
struct ManageUsers: Sendable {
    let store: TicketStore
    let handover: Handover

    /// Which accounts, in which order, and which part of them.
    struct Query: Sendable {
        enum Sort: String, CaseIterable, Sendable {
            case name, email
            case createdAt = "created_at"
        }

        var role: Role?
        /// Text whose words begin words of the name or of the address.
        var text: String?
        var sort = Sort.createdAt
        var isDescending = true
        var page = PageRequest()
    }

    /// One page, and how many accounts there are on all pages.
    func list(_ query: Query) async throws -> (page: [User], total: Int64) {
        try await self.store.read { try $0.users(query) }
    }

    /// Returns when all that follows from it is done. Throws `userNotFound`, and `invalid` for the last admin.
    func changeRole(of id: Int64, to role: Result<Role, TicketFailure>, by session: Session) async throws -> User {
        let (changed, isDemoted) = try await self.store.write { tables in
            // Two admins may demote each other at the same time: the second is none any more.
            guard try tables.confirmed(session).isAdmin else { throw TicketFailure.notAllowed }
            guard let user = try tables.user(id) else { throw TicketFailure.userNotFound }
            let isDemoted = try tables.changeRole(of: user, to: role.get())
            return (try tables.user(id) ?? user, isDemoted)
        }
        if isDemoted { try await self.handover(from: id, by: session.user.id) }
        return changed
    }
}
