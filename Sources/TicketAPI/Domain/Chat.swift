/// The conversation of one ticket. It opens with the ticket's owner as customer and the assignee, else the first admin,
/// as admin; while there is no admin at all, that side is empty.
struct Chat: Sendable {
    let id: Int64
    let ticketID: Int64
    let customerID: Int64
    let adminID: Int64?

    /// To whom a message of `senderID` is addressed: the customer's go to the admin, all others to the customer.
    func receiver(ofMessageFrom senderID: Int64) -> Int64? {
        senderID == self.customerID ? self.adminID : self.customerID
    }
}

struct Message: Sendable {
    let id: Int64
    let chatID: Int64
    let ticketID: Int64
    /// Nil when there are attachments only.
    let content: String?
    let attachments: [Attachment]
    let createdAt: Timestamp
    let sender: Participant
    let receiverID: Int64?
}

/// Up to which message of a chat a user has read.
struct ReadMark: Sendable {
    let userID: Int64
    let messageID: Int64
}

/// A stretch of a chat, oldest first, and how far its readers are.
struct ChatPage: Sendable {
    let chat: Chat
    let readMarks: [ReadMark]
    let messages: [Message]
    let hasMoreBefore: Bool
    let hasMoreAfter: Bool
}
