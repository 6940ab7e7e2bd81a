/// What an account may do.
package enum Role: String, Sendable, CaseIterable {
    case admin, customer
}

/// An account as everybody who sees its work may see it.
struct Participant: Sendable, Equatable {
    let id: Int64
    let name: String
    let role: Role
}

/// An account as its owner sees it.
package struct User: Sendable {
    package let id: Int64
    package let name: String
    package let email: String
    package let role: Role
    package let createdAt: Timestamp

    var participant: Participant { Participant(id: self.id, name: self.name, role: self.role) }
    var isAdmin: Bool { self.role == .admin }
}

/// Who is asking, and by which token.
struct Session: Sendable {
    let user: User
    let tokenID: Int64
    let kind: TokenKind
}
