internal import Digests

/// A bearer token in Sanctum's shape, `{id}|{secret}`. Only the SHA-256 of the secret is stored.
struct AccessToken: Sendable {
    /// What a token is called when its owner does not name the device.
    static let defaultName = "api"

    let text: String

    init(id: Int64, secret: Secret) {
        self.text = "\(id)|\(secret.text)"
    }

    /// 48 random characters: 285 bits.
    struct Secret: Sendable {
        fileprivate let text: String

        init() throws {
            self.text = try RandomBytes.alphanumeric(48)
        }

        var hash: [UInt8] { Array(SHA256.digest(self.text)) }
    }

    /// A token that somebody shows.
    struct Presented {
        let id: Int64
        private let secret: String

        init?(_ text: String) {
            let halves = text.split(separator: "|", maxSplits: 1, omittingEmptySubsequences: false)
            guard halves.count == 2, let id = Int64(halves[0]) else { return nil }
            self.id = id
            self.secret = String(halves[1])
        }

        /// In constant time.
        func matches(secretHash: [UInt8]) -> Bool {
            constantTimeEqual(SHA256.digest(self.secret), secretHash)
        }
    }
}
