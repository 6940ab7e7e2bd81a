import Foundation
import Hummingbird
import Logging

/// The yardstick: Hummingbird as its documentation shows it, with a route that reads a JSON body and answers JSON of the
/// size of a stored message, and one that answers JSON of the size of a ticket. No authentication, no store, no events.
enum BareServer {
    private struct Posted: Decodable {
        let content: String
    }

    private struct Sender: ResponseEncodable {
        var id = 17
        var name = "Customer 3"
        var role = "customer"
    }

    private struct Message: ResponseEncodable {
        var id = 123_456
        var chatID = 3
        var ticketID = 3
        var content: String
        var attachments: [String] = []
        var createdAt = "2026-01-02T03:04:05.678901Z"
        var sender = Sender()
        var receiverID = 1

        enum CodingKeys: String, CodingKey {
            case id, chatID = "chat_id", ticketID = "ticket_id", content, attachments, createdAt = "created_at", sender
            case receiverID = "receiver_id"
        }
    }

    private struct Ticket: ResponseEncodable {
        var id = 3
        var subject = "Subject 3"
        var description = "Something does not work and somebody says so in a sentence of usual length."
        var category = "Technical"
        var priority = "Medium"
        var status = "Open"
        var user = Sender()
        var assignee: Sender?
        var attachments: [String] = []
        var commentsCount = 0
        var messagesCount = 12_345
        var unreadCount = 0
        var createdAt = "2026-01-02T03:04:05.678901Z"
        var updatedAt = "2026-01-02T03:04:05.678901Z"
    }

    private struct Envelope<Data: Encodable>: ResponseEncodable {
        let data: Data
    }

    /// Serves on a port of the system's choice, which it prints, until it is told to end.
    static func run() async throws {
        let router = Router()
        router.post("/tickets/:id/chat/messages") { request, context in
            let posted = try await request.decode(as: Posted.self, context: context)
            return EditedResponse(status: .created, response: Envelope(data: Message(content: posted.content)))
        }
        router.get("/tickets/:id") { _, _ in Envelope(data: Ticket()) }
        var logger = Logger(label: "bare")
        logger.logLevel = .warning
        let application = Application(
            router: router, configuration: .init(address: .hostname("127.0.0.1", port: 0)),
            onServerRunning: { channel in
                FileHandle.standardOutput.write(Data("port \(channel.localAddress?.port ?? 0)\n".utf8))
            },
            logger: logger)
        try await application.runService()
    }
}
