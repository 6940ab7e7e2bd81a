/// `channel-signatures.json`: what an application signs for its users.
package struct SignatureVectors: Decodable, Sendable {
    package struct App: Decodable, Sendable {
        package let id: String
        package let key: String
        package let secret: String
    }

    package struct Channel: Decodable, Sendable, CustomStringConvertible {
        package let id: String
        package let what: String
        package let channel: String
        package let channelData: String?
        package let stringToSign: String
        package let auth: String

        package var description: String { "\(self.id): \(self.what)" }
    }

    package struct User: Decodable, Sendable {
        package let userData: String
        package let stringToSign: String
        package let auth: String
    }

    package let app: App
    package let socketId: String
    package let channels: [Channel]
    package let user: User

    package static func load() throws -> SignatureVectors { try Vectors.load("channel-signatures") }
}
