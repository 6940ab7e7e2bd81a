import Digests
import Foundation
import PusherProtocol

/// One HTTP answer, as far as the tests look at it.
struct TestAnswer: Sendable {
    let status: Int
    let fields: [String: String]
    let body: String
}

extension RawClient {
    /// The next answer, read by its Content-Length.
    func answer(withBody: Bool = true) async throws -> TestAnswer {
        try await self.take("HTTP answer") { bytes in
            guard let end = bytes.firstRange(of: "\r\n\r\n".utf8) else { return nil }
            let lines = String(decoding: bytes[..<end.lowerBound], as: UTF8.self).split(separator: "\r\n")
            var fields: [String: String] = [:]
            for line in lines.dropFirst() {
                guard let colon = line.firstIndex(of: ":") else { continue }
                fields[line[..<colon].lowercased()] = line[line.index(after: colon)...].drop { $0 == " " }.description
            }
            let headLength = end.upperBound
            let length = withBody ? (fields["content-length"].flatMap { Int($0) } ?? 0) : 0
            guard bytes.count >= headLength + length else { return nil }
            return (
                TestAnswer(
                    status: Int(lines[0].split(separator: " ")[1]) ?? 0, fields: fields,
                    body: String(decoding: bytes[headLength..<(headLength + length)], as: UTF8.self)),
                headLength + length
            )
        }
    }

    /// Sends a signed request and returns its answer.
    func call(
        _ method: String, _ path: String, query: String = "", body: String = "", timestamp: Int64? = nil,
        credentials: AppCredentials = TestBroker.credentials
    ) async throws -> TestAnswer {
        try await self.send(
            signedRequest(method, path, query: query, body: body, timestamp: timestamp, credentials: credentials))
        return try await self.answer(withBody: method != "HEAD")
    }

    /// Queries the test app: `path` is what follows `/apps/{id}/`.
    func get(_ path: String, _ query: String = "") async throws -> TestAnswer {
        try await self.call("GET", "/apps/\(TestBroker.credentials.id)/\(path)", query: query)
    }

    /// Posts to the test app: `path` is what follows `/apps/{id}/`.
    func post(_ path: String, _ query: String = "", body: String = "") async throws -> TestAnswer {
        try await self.call("POST", "/apps/\(TestBroker.credentials.id)/\(path)", query: query, body: body)
    }
}

/// A signed request of the HTTP API. `query` is what stands in the URL before the parameters that sign it.
func signedRequest(
    _ method: String, _ path: String, query: String = "", body: String = "", timestamp: Int64? = nil,
    credentials: AppCredentials = TestBroker.credentials
) -> String {
    var parameters = QueryParameters(query)?.parameters ?? []
    parameters.append((name: "auth_key", value: credentials.key))
    parameters.append((name: "auth_timestamp", value: String(timestamp ?? TestBroker.now)))
    parameters.append((name: "auth_version", value: "1.0"))
    if !body.isEmpty { parameters.append((name: "body_md5", value: MD5.hex(Array(body.utf8)))) }
    let text = RequestSignature.stringToSign(method: method, path: path, parameters: parameters)
    parameters.append((name: "auth_signature", value: credentials.secret.sign(text).hex))
    let added = parameters.filter { $0.name.hasPrefix("auth_") || ($0.name == "body_md5" && !body.isEmpty) }
    let url = ((query.isEmpty ? [] : [query]) + added.map { "\($0.name)=\($0.value)" }).joined(separator: "&")
    return "\(method) \(path)?\(url) HTTP/1.1\r\nHost: test\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)"
}
