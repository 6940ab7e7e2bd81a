import PusherProtocol
import Support
import Testing

/// `webhooks.json`: requests byte for byte, and what an operator may write about an endpoint.
struct WebhookVectors: Decodable, Sendable {
    struct Event: Decodable, Sendable {
        let name: String
        let channel: String
        let userId: String?
        let event: String?
        let data: String?
        let socketId: String?
        let subscriptionCount: Int?
    }

    struct Request: Decodable, Sendable, CustomStringConvertible {
        let id: String
        let what: String
        let timeMs: Int64
        let events: [Event]
        let body: String
        let signature: String

        var description: String { "\(self.id): \(self.what)" }
    }

    struct Endpoint: Decodable, Sendable, CustomStringConvertible {
        let what: String
        let url: String
        let logName: String?
        let says: String?
        let eventTypes: [String]?
        let startsWith: String?
        let endsWith: String?
        let headers: [[String]]?

        var description: String { self.what }
    }

    let app: SignatureVectors.App
    let requests: [Request]
    let acceptedEndpoints: [Endpoint]
    let refusedEndpoints: [Endpoint]

    static func load() throws -> WebhookVectors { try Vectors.load("webhooks") }
}

extension WebhookVectors.Event {
    func value() throws -> WebhookEvent {
        let channel = try #require(ChannelName(self.channel, limit: 200))
        switch try #require(WebhookEvent.Kind(rawValue: self.name)) {
        case .channelOccupied: return .channelOccupied(channel)
        case .channelVacated: return .channelVacated(channel)
        case .memberAdded: return .memberAdded(channel, userID: try #require(self.userId))
        case .memberRemoved: return .memberRemoved(channel, userID: try #require(self.userId))
        case .cacheMiss: return .cacheMiss(channel)
        case .subscriptionCount: return .subscriptionCount(channel, try #require(self.subscriptionCount))
        case .clientEvent:
            guard case .known(let sender) = SocketID.Reference(try #require(self.socketId)) else {
                throw Malformed()
            }
            return .clientEvent(
                channel,
                .init(
                    name: try #require(self.event), data: Array(try #require(self.data).utf8), sender: sender,
                    userID: self.userId))
        }
    }

    private struct Malformed: Error {}
}
