/// A row of tokens.
struct StoredToken: Sendable {
    let id: Int64
    let kind: TokenKind
    let secretHash: [UInt8]
    let createdAt: Timestamp
    let lastUsedAt: Timestamp?
}
