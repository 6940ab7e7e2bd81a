/// What was done to a ticket. Its audience is the type around it, as with comments.
struct Activity: Sendable {
    enum Kind: String, Sendable {
        case created, updated, commented
    }

    let id: Int64
    let kind: Kind
    /// nil: the operator, at the command line.
    let actor: Participant?
    /// The JSON text of `{"field": [old, new]}`.
    let changes: String
    let createdAt: Timestamp
}
