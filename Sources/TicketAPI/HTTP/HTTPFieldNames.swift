internal import HTTPTypes

// Field names that HTTPTypes does not know. Its initialiser for them is failable.
extension HTTPField.Name {
    static let socketID = known("X-Socket-ID")
    static let idempotencyKey = known("Idempotency-Key")
    static let idempotencyReplayed = known("Idempotency-Replayed")
    static let rateLimit = known("X-RateLimit-Limit")
    static let rateLimitRemaining = known("X-RateLimit-Remaining")
    static let rateLimitReset = known("X-RateLimit-Reset")

    static let contentSecurityPolicy = known("Content-Security-Policy")
    static let csrfToken = known("X-CSRF-TOKEN")
    static let xsrfToken = known("X-XSRF-TOKEN")
    static let forwardedFor = known("X-Forwarded-For")
    static let forwardedProto = known("X-Forwarded-Proto")

    private static func known(_ name: String) -> HTTPField.Name {
        guard let field = HTTPField.Name(name) else { preconditionFailure("\(name) is a token of RFC 9110") }
        return field
    }
}
