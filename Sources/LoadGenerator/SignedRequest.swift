internal import PusherClient
internal import PusherProtocol

/// One request of the HTTP API (section 8 of the protocol facts).
struct SignedRequest {
    let method: String
    let path: String
    let body: [UInt8]

    /// The request's head, its empty line included. `now` is in seconds since 1970.
    func head(of plan: LoadPlan, now: Int64) -> String {
        let query = RequestSignature.signedQuery(
            method: self.method, path: self.path, body: self.body, timestamp: now, credentials: plan.credentials)
        return "\(self.method) \(self.path)?\(query) HTTP/1.1\r\nHost: \(plan.endpoint.authority)\r\n"
            + "Content-Type: application/json\r\nContent-Length: \(self.body.count)\r\n\r\n"
    }
}

extension HTTPConnection.Answer {
    /// The same words for the same cause.
    var summary: String {
        switch self.status {
        case 413: "413 payload too large"
        case 429: "429 over the rate limit"
        default: "\(self.status)\(self.body.isEmpty ? "" : " \(self.body)")"
        }
    }
}
