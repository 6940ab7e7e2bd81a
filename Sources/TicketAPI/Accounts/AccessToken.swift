internal import Digests

/// A token, or a browser's session: an id and a secret. Only the SHA-256 of the secret is stored.
struct AccessToken: Sendable {
    let id: Int64
    let kind: TokenKind
    /// A token is in Sanctum's shape, `{id}|{secret}`; a session in one that needs no quotes in a cookie, `{id}.{secret}`.
    let text: String

    init(id: Int64, kind: TokenKind, secret: Secret) {
        self.id = id
        self.kind = kind
        self.text = "\(id)\(kind.separator)\(secret.text)"
    }

    /// 48 random characters: 285 bits.
    struct Secret: Sendable {
        static let length = 48
        let text: String

        init() throws {
            self.text = try RandomBytes.alphanumeric(Self.length)
        }

        var hash: [UInt8] { Array(SHA256.digest(self.text)) }
    }

    /// A token that somebody shows.
    struct Presented: Sendable {
        let id: Int64
        let kind: TokenKind
        private let secret: String

        init?(_ text: some StringProtocol, as kind: TokenKind) {
            let halves = text.split(separator: kind.separator, maxSplits: 1, omittingEmptySubsequences: false)
            guard halves.count == 2, let id = Int64(halves[0]) else { return nil }
            self.id = id
            self.kind = kind
            self.secret = String(halves[1])
        }

        /// Whether it is this one. In constant time.
        func isRight(_ stored: StoredToken) -> Bool {
            stored.kind == self.kind && constantTimeEqual(SHA256.digest(self.secret), stored.secretHash)
        }
    }

    /// What somebody who logs in is to get.
    struct Wish: Sendable {
        let kind: TokenKind
        /// What its owner knows it by.
        let name: String
        /// The session in whose place it comes.
        var replacing: Presented?

        /// A program's token, of the device that it names.
        static func token(name: String?) -> Wish { Wish(kind: .token, name: name ?? "api") }
    }
}

extension TokenKind {
    fileprivate var separator: Character {
        switch self {
        case .token: "|"
        case .session: "."
        }
    }
}
