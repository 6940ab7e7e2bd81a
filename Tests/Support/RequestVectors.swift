/// `request-signatures.json`: signed requests of the HTTP API.
package struct RequestVectors: Decodable, Sendable {
    package struct Request: Decodable, Sendable, CustomStringConvertible {
        package let id: String
        package let what: String
        package let method: String
        package let path: String
        /// Query strings that all carry the same parameters.
        package let queries: [String]
        package let body: String
        package let bodyMd5: String?
        package let stringToSign: String
        package let signature: String

        package var description: String { "\(self.id): \(self.what)" }
    }

    package let app: SignatureVectors.App
    package let now: Int64
    package let requests: [Request]

    package static func load() throws -> RequestVectors { try Vectors.load("request-signatures") }
}
