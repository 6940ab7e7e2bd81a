import Foundation

/// Customers with a ticket each, who post to it over a keep-alive connection, and one subscriber to each ticket's chat.
final class Chat {
    let server: SwitchboardServer
    let posters: [Poster]
    let listener: Listener
    private let admin: String

    init(server: SwitchboardServer, clients: Int) throws {
        self.server = server
        let admin = try server.account(email: "admin@example.org", role: "admin")
        self.admin = admin
        var posters: [Poster] = []
        var subscriptions: [Subscription] = []
        for index in 0..<clients {
            let token = try server.account(email: "customer\(index)@example.org", role: "customer")
            let client = try HTTPClient(port: server.ticketsPort)
            let poster = try Poster(index: index, client: client, token: token)
            let id = poster.ticket
            posters.append(poster)
            subscriptions.append(
                try Subscription(port: server.brokerPort, key: server.appKey, channel: "private-chat.\(id)") {
                    socketID in
                    let body = #"{"socket_id":"\#(socketID)","channel_name":"private-chat.\#(id)"}"#
                    let answer = try client.json(
                        HTTPClient.request("POST", "/broadcasting/auth", token: token, json: body), expected: 200)
                    return answer["auth"] as? String ?? ""
                })
        }
        self.posters = posters
        self.listener = Listener(subscriptions)
    }

    /// What is not as it must be after all loads: a message that is not stored, or was not delivered exactly once and
    /// in order under each of its names.
    func faults() throws -> [String] {
        var faults = self.listener.finish()
        let client = try HTTPClient(port: self.server.ticketsPort)
        defer { client.socket.close() }
        for poster in self.posters {
            let answer = try client.json(
                HTTPClient.request("GET", "/tickets/\(poster.ticket)", token: self.admin), expected: 200)
            let stored = (answer["data"] as? [String: Any])?["messages_count"] as? Int
            if stored != Int(poster.acknowledged) {
                faults.append(
                    "ticket \(poster.ticket): \(poster.acknowledged) messages acknowledged, \(stored ?? 0) stored")
            }
        }
        return faults
    }
}

/// One client. Its messages are numbered from 1; the text of each names the poster, the number, and the moment from
/// which its way is measured.
///
/// Used by one thread at a time.
final class Poster: @unchecked Sendable {
    let index: Int
    let client: HTTPClient
    let ticket: Int
    /// Another ticket of this customer, which has three messages.
    let quietTicket: Int
    let token: String
    /// How many were answered 201; they have the numbers up to this.
    private(set) var acknowledged: Int64 = 0

    private let head: [UInt8]
    private static let filler = String(repeating: "x", count: 60)
    /// "b", poster, number and moment in fixed width.
    private static let contentLength = 2 + 4 + 11 + 20 + 60

    init(index: Int, client: HTTPClient, token: String) throws {
        (self.index, self.client, self.token) = (index, client, token)
        self.ticket = try Self.openTicket(client, token)
        self.quietTicket = try Self.openTicket(client, token)
        for _ in 0..<3 {
            let message = HTTPClient.request(
                "POST", "/tickets/\(self.quietTicket)/chat/messages", token: token, json: #"{"content":"Hello"}"#)
            guard try client.status(message) == 201 else { throw Failure("a message was refused") }
        }
        self.head = Array(
            HTTPClient.request(
                "POST", "/tickets/\(self.ticket)/chat/messages", token: token,
                json: #"{"content":"\#(String(repeating: "_", count: Self.contentLength))"}"#
            ).dropLast(Self.contentLength + 2))
    }

    /// Posts the next message and waits for its 201.
    func post(from moment: Int64) throws {
        let number = self.acknowledged + 1
        let content =
            "b \(Self.padded(Int64(self.index), 3)) \(Self.padded(number, 10)) \(Self.padded(moment, 19)) \(Self.filler)"
        let status = try self.client.status(self.head + Array("\(content)\"}".utf8))
        guard status == 201 else { throw Failure("a message was answered \(status)") }
        self.acknowledged = number
    }

    private static func openTicket(_ client: HTTPClient, _ token: String) throws -> Int {
        let draft =
            #"{"subject":"Subject","description":"Something does not work and somebody says so."#
            + #"","category":"Technical","priority":"Medium"}"#
        let answer = try client.json(HTTPClient.request("POST", "/tickets", token: token, json: draft), expected: 201)
        guard let id = (answer["data"] as? [String: Any])?["id"] as? Int else { throw Failure("a ticket has no id") }
        return id
    }

    private static func padded(_ value: Int64, _ width: Int) -> String {
        let digits = String(value)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
}
