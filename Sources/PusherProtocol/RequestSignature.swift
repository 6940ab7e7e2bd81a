internal import Digests

/// The signature of an HTTP API request (8.3 of the protocol facts).
package enum RequestSignature {
    /// How far `auth_timestamp` may lie from the server's clock, in seconds, both ways (P117).
    package static let clockWindow: Int64 = 600
    /// How many parameters sign a request with a body; without one they are as many, or one less.
    static let parameterCount = 5

    /// The string that is signed: method, path, and the parameters except `auth_signature`, sorted by name and joined
    /// without escaping. `parameters` are decoded, with names in lower case.
    package static func stringToSign(
        method: String, path: String, parameters: [(name: String, value: String)]
    ) -> String {
        var text = "\(method)\n\(path)\n"
        var isFirst = true
        let sorted = parameters.sorted { a, b in a.name.utf8.lexicographicallyPrecedes(b.name.utf8) }
        for parameter in sorted where parameter.name != "auth_signature" {
            if !isFirst { text += "&" }
            isFirst = false
            text += parameter.name
            text += "="
            text += parameter.value
        }
        return text
    }

    /// The query string of a signed request with a body, for a publisher.
    ///
    /// `timestamp` is in seconds since 1970. An empty body carries no `body_md5`.
    package static func signedQuery(
        method: String, path: String, body: [UInt8], timestamp: Int64, credentials: AppCredentials
    ) -> String {
        var parameters = [
            (name: "auth_key", value: credentials.key),
            (name: "auth_timestamp", value: String(timestamp)),
            (name: "auth_version", value: "1.0"),
        ]
        if !body.isEmpty { parameters.append((name: "body_md5", value: MD5.hex(body))) }
        let text = self.stringToSign(method: method, path: path, parameters: parameters)
        parameters.append((name: "auth_signature", value: credentials.secret.sign(text).hex))
        return parameters.map { "\($0.name)=\($0.value)" }.joined(separator: "&")
    }

    /// Why a request was not accepted. `description` is the body of the 401.
    package enum Refusal: Error, Equatable, CustomStringConvertible {
        case missingParameter(String)
        case malformedParameter(String)
        case wrongKey
        case expired(timestamp: Int64, now: Int64)
        case bodyDigestMissing
        case wrongBodyDigest
        /// The signature that was sent is not that of `stringToSign`.
        case wrongSignature(stringToSign: String, sent: String)

        /// One word that stays the same and holds nothing of the request's, for logs.
        package var reason: String {
            switch self {
            case .missingParameter: "missing_parameter"
            case .malformedParameter: "malformed_parameter"
            case .wrongKey: "wrong_key"
            case .expired: "timestamp_expired"
            case .bodyDigestMissing: "body_md5_missing"
            case .wrongBodyDigest: "wrong_body_md5"
            case .wrongSignature: "wrong_signature"
            }
        }

        package var description: String {
            switch self {
            case .missingParameter(let name): "\(name) parameter is required"
            case .malformedParameter(let name): "\(name) parameter is malformed"
            case .wrongKey: "Unknown auth_key for this app"
            case .expired(let timestamp, let now):
                "Timestamp expired: Given timestamp (\(RFC3339.text(timestamp)))"
                    + " not within \(RequestSignature.clockWindow)s of server time (\(RFC3339.text(now)))"
            case .bodyDigestMissing: "body_md5 parameter is required for a request with a body"
            case .wrongBodyDigest: "body_md5 is not the MD5 of the body"
            case .wrongSignature(let text, let sent):
                "Invalid signature: you should have sent HmacSHA256Hex(\(JSONWriter.quoted(text)), your_secret_key)"
                    + ", but you sent \(JSONWriter.quoted(sent, maxCharacters: 64))"
            }
        }
    }

    /// Checks everything about a request but its body, which need not have arrived, and returns the `body_md5` that
    /// the body must have; nil when it must be empty.
    ///
    /// - Parameters:
    ///   - path: the path as sent; when the signature does not fit it, its percent-decoded form is tried.
    ///   - now: the server's clock in seconds since 1970.
    package static func verify(
        method: String, path: String, query: QueryParameters, now: Int64, credentials: AppCredentials
    ) throws(Refusal) -> String? {
        try self.checkParameters(query, now: now, credentials: credentials)
        if !self.isSigned(method: method, path: path, query: query, credentials: credentials) {
            guard let decoded = QueryParameters.percentDecoded(path), decoded != path,
                self.isSigned(method: method, path: decoded, query: query, credentials: credentials)
            else {
                throw .wrongSignature(
                    stringToSign: self.stringToSign(method: method, path: path, parameters: query.parameters),
                    sent: query["auth_signature"] ?? "")
            }
        }
        return query["body_md5"]
    }

    private static func checkParameters(
        _ query: QueryParameters, now: Int64, credentials: AppCredentials
    ) throws(Refusal) {
        guard let key = query["auth_key"] else { throw .missingParameter("auth_key") }
        guard let sent = query["auth_timestamp"] else { throw .missingParameter("auth_timestamp") }
        guard let version = query["auth_version"] else { throw .missingParameter("auth_version") }
        guard query.withValue(of: "auth_signature", { $0 != nil }) else { throw .missingParameter("auth_signature") }
        guard key == credentials.key else { throw .wrongKey }
        guard version == "1.0" else { throw .malformedParameter("auth_version") }
        guard let timestamp = Int64(sent) else { throw .malformedParameter("auth_timestamp") }
        let (age, overflow) = now.subtractingReportingOverflow(timestamp)
        guard !overflow, age >= -self.clockWindow, age <= self.clockWindow else {
            throw .expired(timestamp: timestamp, now: now)
        }
    }

    private static func isSigned(
        method: String, path: String, query: QueryParameters, credentials: AppCredentials
    ) -> Bool {
        query.withValue(of: "auth_signature") { signature in
            guard let signature else { return false }
            return query.withStringToSign(method: method, path: path) { text in
                credentials.accepts(signature, asSignatureOf: text)
            }
        }
    }

    /// Checks a body against the `body_md5` that `verify` returned (P118).
    package static func verify(body: UnsafeRawBufferPointer, digest: String?) throws(Refusal) {
        guard let digest else {
            guard body.isEmpty else { throw .bodyDigestMissing }
            return
        }
        guard MD5.matches(body, hex: digest) else { throw .wrongBodyDigest }
    }
}
