internal import HTTPTypes
internal import Hummingbird

/// Lets pages of some other origins read the answers (CORS, in the Fetch standard). Those may send cookies, so the
/// origins are named one by one; others are told nothing.
struct CrossOriginPolicy: Sendable {
    private static let methods = "GET, HEAD, POST, PUT, PATCH, DELETE"
    private static let requestHeaders = [
        "Accept", "Authorization", "Content-Type", "Idempotency-Key", "If-Match", "If-Modified-Since", "If-None-Match",
        "If-Range", "Range", "X-CSRF-TOKEN", "X-Requested-With", "X-Socket-ID", "X-XSRF-TOKEN",
    ].joined(separator: ", ")
    private static let answerHeaders = [
        "Accept-Ranges", "Allow", "Content-Disposition", "Content-Length", "Content-Range", "ETag",
        "Idempotency-Replayed", "Retry-After", "X-RateLimit-Limit", "X-RateLimit-Remaining",
        "X-RateLimit-Reset",
    ].joined(separator: ", ")
    /// Seconds for which a browser need not ask again. None keeps it longer.
    private static let maxAge = "7200"

    private let allowed: Set<String>

    init(_ origins: Set<WebOrigin>) {
        self.allowed = Set(origins.map(\.description))
    }

    /// The answer to a browser that asks beforehand what a page may send; nil for any other request.
    func preflight(_ request: Request) -> Response? {
        guard request.method == .options, self.origin(of: request) != nil,
            request.headers[.accessControlRequestMethod] != nil
        else { return nil }
        return Response(
            status: .noContent,
            headers: [
                .accessControlAllowMethods: Self.methods, .accessControlAllowHeaders: Self.requestHeaders,
                .accessControlMaxAge: Self.maxAge,
            ])
    }

    /// Completes an answer, whatever it is.
    func complete(_ response: inout Response, to request: Request) {
        guard !self.allowed.isEmpty else { return }
        response.headers[values: .vary].append("Origin")
        guard let origin = self.origin(of: request) else { return }
        response.headers[.accessControlAllowOrigin] = origin
        response.headers[.accessControlAllowCredentials] = "true"
        response.headers[.accessControlExposeHeaders] = Self.answerHeaders
    }

    private func origin(of request: Request) -> String? {
        request.headers[.origin].flatMap { self.allowed.contains($0) ? $0 : nil }
    }
}
