import Foundation

/// A request's body as a receiver reads it.
struct WebhookBody: Decodable {
    struct Event: Decodable {
        let name: String
        let channel: String
        let event: String?
        let data: String?
        let socket_id: String?
        let user_id: String?
        let subscription_count: Int?

        var summary: String {
            [self.name, self.channel, self.user_id, self.subscription_count.map { "\($0)" }].compactMap(\.self)
                .joined(separator: " ")
        }
    }

    let time_ms: Int64
    let events: [Event]
}

func body(_ text: String) throws -> WebhookBody {
    try JSONDecoder().decode(WebhookBody.self, from: Data(text.utf8))
}

func events(of text: String) throws -> [WebhookBody.Event] { try body(text).events }
