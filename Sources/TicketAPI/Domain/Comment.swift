/// What was said about a ticket. Its audience is the type around it: `Shared<Comment>` is for everybody who may see the
/// ticket, `Confidential<Comment>` is an internal note.
struct Comment: Sendable {
    let id: Int64
    let ticketID: Int64
    let content: String
    let author: Participant
    let createdAt: Timestamp
}
