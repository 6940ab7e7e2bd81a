package import Digests

/// The signature of an HTTP API request (8.3 of the protocol facts).
package enum RequestSignature {
    /// How far `auth_timestamp` may lie from the server's clock, in seconds, both ways (P117).
    package static let clockWindow: Int64 = 600

    /// The string that is signed: method, path, and the parameters except `auth_signature`, decoded, with names in
    /// lower case and sorted, joined without escaping.
    package static func stringToSign(method: String, path: String, parameters: [(name: String, value: String)]) -> String {
        var sorted =
            parameters
            .map { (name: $0.name.lowercased(), value: $0.value) }
            .filter { $0.name != "auth_signature" }
        sorted.sort { a, b in a.name.utf8.lexicographicallyPrecedes(b.name.utf8) }

        var text = "\(method)\n\(path)\n"
        for (index, parameter) in sorted.enumerated() {
            if index > 0 { text += "&" }
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
}
