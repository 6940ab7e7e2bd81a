import PusherProtocol
import Support
import Testing

@Suite struct RequestSignatureTests {
    private let vectors: RequestVectors
    private let credentials: AppCredentials

    init() throws {
        self.vectors = try RequestVectors.load()
        self.credentials = self.vectors.app.credentials
    }

    private func verify(_ request: RequestVectors.Request, query: String, path: String? = nil, now: Int64? = nil) throws
        -> String?
    {
        try RequestSignature.verify(
            method: request.method, path: path ?? request.path, query: try #require(QueryParameters(query)),
            now: now ?? self.vectors.now, credentials: self.credentials)
    }

    private func verify(body: [UInt8], digest: String?) throws {
        try body.withUnsafeBytes { try RequestSignature.verify(body: $0, digest: digest) }
    }

    private func vector(_ id: String) throws -> RequestVectors.Request {
        try #require(self.vectors.requests.first { $0.id == id })
    }

    @Test(
        "P116, P121, P122: the vectors are accepted, in every spelling of their query",
        arguments: try RequestVectors.load().requests)
    func accepts(_ request: RequestVectors.Request) throws {
        for query in request.queries {
            #expect(try self.verify(request, query: query) == request.bodyMd5)
            let parameters = try #require(QueryParameters(query)).parameters
            #expect(
                RequestSignature.stringToSign(method: request.method, path: request.path, parameters: parameters)
                    == request.stringToSign)
        }
        try self.verify(body: Array(request.body.utf8), digest: request.bodyMd5)
    }

    @Test("P116: one changed digit of the signature is refused", arguments: try RequestVectors.load().requests)
    func refusesChangedSignature(_ request: RequestVectors.Request) throws {
        let query = try #require(request.queries.first)
        for index in request.signature.indices {
            var signature = request.signature
            signature.replaceSubrange(index...index, with: signature[index] == "0" ? "1" : "0")
            let changed = query.replacing(request.signature, with: signature)
            let refusal = #expect(throws: RequestSignature.Refusal.self) { try self.verify(request, query: changed) }
            #expect(refusal == .wrongSignature(stringToSign: request.stringToSign, sent: signature))
        }
        for signature in [
            "", String(request.signature.dropLast()), request.signature + "0", request.signature.uppercased(),
        ] {
            let changed = query.replacing(request.signature, with: signature)
            #expect(throws: RequestSignature.Refusal.self) { try self.verify(request, query: changed) }
        }
    }

    @Test(
        "P116: a signature holds for one method, one path and one set of parameters only",
        arguments: try RequestVectors.load().requests)
    func refusesOtherRequests(_ request: RequestVectors.Request) throws {
        let query = try #require(request.queries.first)
        #expect(throws: RequestSignature.Refusal.self) { try self.verify(request, query: query + "&a=1") }
        #expect(throws: RequestSignature.Refusal.self) {
            try self.verify(request, query: query, path: request.path + "/")
        }
        #expect(throws: RequestSignature.Refusal.self) {
            try RequestSignature.verify(
                method: request.method == "GET" ? "POST" : "GET", path: request.path,
                query: try #require(QueryParameters(query)), now: self.vectors.now, credentials: self.credentials)
        }
    }

    @Test(
        "P117: a timestamp up to 600 s away is accepted, both ways",
        arguments: [
            (0, true), (599, true), (600, true), (601, false), (-599, true), (-600, true), (-601, false),
            (1 << 40, false),
        ])
    func clock(_ vector: (offset: Int64, isAccepted: Bool)) throws {
        let request = try self.vector("V1")
        let now = self.vectors.now + vector.offset
        if vector.isAccepted {
            #expect(try self.verify(request, query: request.queries[0], now: now) == request.bodyMd5)
        } else {
            let refusal = #expect(throws: RequestSignature.Refusal.self) {
                try self.verify(request, query: request.queries[0], now: now)
            }
            #expect(refusal == .expired(timestamp: self.vectors.now, now: now))
        }
    }

    @Test(
        "P117, 8.2: a refusal for the clock tells both times",
        arguments: [
            (1_380_444_393, "2013-09-29T08:46:33Z"), (0, "1970-01-01T00:00:00Z"),
            (951_782_400, "2000-02-29T00:00:00Z"), (253_402_300_799, "9999-12-31T23:59:59Z"),
            (253_402_300_800, "253402300800"), (-1, "-1"), (.max, "9223372036854775807"),
            (.min, "-9223372036854775808"),
        ])
    func clockText(_ vector: (timestamp: Int64, text: String)) {
        let refusal = RequestSignature.Refusal.expired(timestamp: vector.timestamp, now: 1_700_000_000)
        #expect(
            refusal.description == "Timestamp expired: Given timestamp (\(vector.text))"
                + " not within 600s of server time (2023-11-14T22:13:20Z)")
    }

    @Test(
        "P117: a timestamp at the end of the numbers, or none, is refused and never overflows",
        arguments: [
            "9223372036854775807", "-9223372036854775808", "9223372036854775808", "", "1e9", "1700000000.0", "x", "-0",
        ])
    func strangeTimestamps(_ text: String) throws {
        let request = try self.vector("V1")
        let query = request.queries[0].replacing("auth_timestamp=1700000000", with: "auth_timestamp=\(text)")
        for now in [self.vectors.now, .min, .max, 0] where text != "-0" || now != 0 {
            #expect(throws: RequestSignature.Refusal.self) { try self.verify(request, query: query, now: now) }
        }
    }

    @Test("P118: a body other than the one of body_md5 is refused, and a body without one too")
    func bodyDigest() throws {
        let request = try self.vector("V1")
        let body = Array(request.body.utf8)
        let digest = try #require(request.bodyMd5)
        #expect(throws: RequestSignature.Refusal.wrongBodyDigest) {
            try self.verify(body: body + [0x20], digest: digest)
        }
        #expect(throws: RequestSignature.Refusal.wrongBodyDigest) {
            try self.verify(body: [], digest: digest)
        }
        #expect(throws: RequestSignature.Refusal.wrongBodyDigest) {
            try self.verify(body: body, digest: digest.uppercased())
        }
        #expect(throws: RequestSignature.Refusal.wrongBodyDigest) {
            try self.verify(body: body, digest: "")
        }
        #expect(throws: RequestSignature.Refusal.bodyDigestMissing) {
            try self.verify(body: body, digest: nil)
        }
        try self.verify(body: [], digest: nil)
        try self.verify(body: [], digest: "d41d8cd98f00b204e9800998ecf8427e")
    }

    @Test("P119: another app's key with its own valid signature is refused")
    func otherApp() throws {
        let other = AppCredentials(id: "4712", key: "other", secret: AppSecret("another"))
        let request = try self.vector("V1")
        let query = RequestSignature.signedQuery(
            method: request.method, path: request.path, body: Array(request.body.utf8), timestamp: self.vectors.now,
            credentials: other)
        let refusal = #expect(throws: RequestSignature.Refusal.self) { try self.verify(request, query: query) }
        #expect(refusal == .wrongKey)
        let renamed = query.replacing("auth_key=other", with: "auth_key=\(self.credentials.key)")
        #expect(throws: RequestSignature.Refusal.self) { try self.verify(request, query: renamed) }
    }

    @Test("P120: the order of the query does not matter", arguments: try RequestVectors.load().requests)
    func order(_ request: RequestVectors.Request) throws {
        var random = SeededGenerator(seed: 7)
        for query in request.queries where !query.contains("[") && !query.contains("%5B") {
            for _ in 0..<10 {
                let shuffled = query.split(separator: "&").shuffled(using: &random).joined(separator: "&")
                #expect(try self.verify(request, query: shuffled) == request.bodyMd5)
            }
        }
    }

    @Test(
        "P123: a request without one of the four parameters is refused by its name",
        arguments: ["auth_key", "auth_timestamp", "auth_version", "auth_signature"])
    func missingParameter(_ name: String) throws {
        let request = try self.vector("V1")
        let rest = request.queries[0].split(separator: "&").filter { !$0.hasPrefix(name + "=") }
        let refusal = #expect(throws: RequestSignature.Refusal.self) {
            try self.verify(request, query: rest.joined(separator: "&"))
        }
        #expect(refusal == .missingParameter(name))
    }

    @Test("8.3: auth_version is 1.0")
    func version() throws {
        let request = try self.vector("V1")
        let query = request.queries[0].replacing("auth_version=1.0", with: "auth_version=2.0")
        let refusal = #expect(throws: RequestSignature.Refusal.self) { try self.verify(request, query: query) }
        #expect(refusal == .malformedParameter("auth_version"))
    }

    @Test("8.3: a path sent with escapes may be signed as sent or decoded")
    func escapedPath() throws {
        let request = try self.vector("V4")
        let escaped = request.path.replacing("=", with: "%3D").replacing("@", with: "%40")
        #expect(try self.verify(request, query: request.queries[0], path: escaped) == nil)
        let query = RequestSignature.signedQuery(
            method: "GET", path: escaped, body: [], timestamp: self.vectors.now, credentials: self.credentials)
        #expect(try self.verify(request, query: query, path: escaped) == nil)
        #expect(throws: RequestSignature.Refusal.self) {
            try self.verify(request, query: request.queries[0], path: escaped + "%zz")
        }
    }

    @Test(
        "8.3: what a publisher of ours signs is what the vectors say",
        arguments: try RequestVectors.load().requests.filter { !$0.body.isEmpty })
    func signs(_ request: RequestVectors.Request) throws {
        let query = RequestSignature.signedQuery(
            method: request.method, path: request.path, body: Array(request.body.utf8), timestamp: self.vectors.now,
            credentials: self.credentials)
        #expect(query.hasSuffix("&auth_signature=\(request.signature)"))
        #expect(try self.verify(request, query: query) == request.bodyMd5)
    }

    @Test("8.2: a refusal tells the string to sign and what was sent, and never the right signature or the secret")
    func descriptions() throws {
        let request = try self.vector("V1")
        func text(sent: String) -> String {
            RequestSignature.Refusal.wrongSignature(stringToSign: request.stringToSign, sent: sent).description
        }
        let signed = request.stringToSign.replacing("\n", with: "\\n")
        #expect(
            text(sent: "a\"\n") == "Invalid signature: you should have sent HmacSHA256Hex(\"\(signed)\", "
                + #"your_secret_key), but you sent "a\"\n""#)
        #expect(text(sent: String(repeating: "0", count: 64)).hasSuffix("00000\""))
        #expect(text(sent: String(repeating: "0", count: 65)).hasSuffix("00000…\""))
        #expect(text(sent: String(repeating: "é", count: 9999)).utf8.count < 500)
        #expect(!text(sent: "").contains(request.signature) && !text(sent: "").contains(self.vectors.app.secret))
        #expect("\(self.credentials)".contains("<secret>") && !"\(self.credentials)".contains(self.vectors.app.secret))
    }
}
