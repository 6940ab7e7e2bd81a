import Support
import Testing
import Wire

/// `protocol-spec/vectors/chunked-bodies.json`.
private struct ChunkVectors: Decodable {
    struct Accepted: Decodable, CustomTestStringConvertible {
        let rule: String
        let text: String
        let body: String
        /// What stands behind the body and is not taken.
        let rest: String

        var testDescription: String { "\(self.rule): \(self.text.debugDescription)" }
    }

    struct Refused: Decodable, CustomTestStringConvertible {
        let rule: String
        let text: String
        let status: Int

        var testDescription: String { "\(self.rule): \(self.text.debugDescription)" }
    }

    let maxBytes: Int
    let accepted: [Accepted]
    let refused: [Refused]

    static func load() throws -> ChunkVectors { try Vectors.load("chunked-bodies") }
}

@Suite struct ChunkedBodyTests {
    private struct Outcome: Equatable {
        var body: [UInt8] = []
        var taken = 0
        var isDone = false
        var failure: HTTPRequestFailure?
    }

    private func decode(_ pieces: [ArraySlice<UInt8>], maxBytes: Int) -> Outcome {
        var decoder = ChunkedBody(maxBytes: maxBytes)
        var outcome = Outcome()
        for piece in pieces {
            do throws(HTTPRequestFailure) {
                outcome.taken += try Array(piece).withUnsafeBytes { bytes in
                    Result { () throws(HTTPRequestFailure) in
                        try decoder.decode(bytes, appendingTo: &outcome.body)
                    }
                }.get()
            } catch {
                outcome.failure = error
                return outcome
            }
        }
        outcome.isDone = decoder.isDone
        return outcome
    }

    @Test(
        "RFC 9112 7.1: a chunked body is put together wherever the bytes are cut",
        arguments: try ChunkVectors.load().accepted)
    private func accepts(_ vector: ChunkVectors.Accepted) throws {
        let maxBytes = try ChunkVectors.load().maxBytes
        let bytes = Array(vector.text.utf8)
        let expected = Outcome(
            body: Array(vector.body.utf8), taken: bytes.count - vector.rest.utf8.count, isDone: true)
        for cut in 0...bytes.count {
            #expect(self.decode([bytes[..<cut], bytes[cut...]], maxBytes: maxBytes) == expected, "cut at \(cut)")
        }
        #expect(self.decode(bytes.map { [$0] }, maxBytes: maxBytes) == expected)
    }

    @Test("RFC 9112 7.1: a body is not done before its last line feed", arguments: try ChunkVectors.load().accepted)
    private func waitsForTheEnd(_ vector: ChunkVectors.Accepted) throws {
        let maxBytes = try ChunkVectors.load().maxBytes
        let bytes = Array(vector.text.utf8.dropLast(vector.rest.utf8.count))
        for count in 0..<bytes.count {
            let outcome = self.decode([bytes[..<count]], maxBytes: maxBytes)
            #expect(outcome.taken == count && !outcome.isDone && outcome.failure == nil)
        }
    }

    @Test(
        "RFC 9112 7.1: a malformed or too large chunked body is refused wherever the bytes are cut",
        arguments: try ChunkVectors.load().refused)
    private func refuses(_ vector: ChunkVectors.Refused) throws {
        let maxBytes = try ChunkVectors.load().maxBytes
        let bytes = Array(vector.text.utf8)
        for cut in 0...bytes.count {
            let outcome = self.decode([bytes[..<cut], bytes[cut...]], maxBytes: maxBytes)
            #expect(outcome.failure?.status == vector.status, "cut at \(cut)")
            #expect(outcome.body.count <= maxBytes)
        }
        #expect(self.decode(bytes.map { [$0] }, maxBytes: maxBytes).failure?.status == vector.status)
    }

    @Test("RFC 9110 15.5.14: a body of exactly the limit is accepted")
    func acceptsTheLimit() {
        let text = "3e8\r\n" + String(repeating: "x", count: 1000) + "\r\n0\r\n\r\n"
        #expect(self.decode([Array(text.utf8)[...]], maxBytes: 1000).isDone)
        #expect(self.decode([Array(text.utf8)[...]], maxBytes: 999).failure?.status == 413)
    }

    @Test(
        "RFC 9112 7.1: what stands beside the data is bounded",
        arguments: [
            (head: "1;", flood: "x"), (head: "0\r\n", flood: "X: y\r\n"), (head: "0\r\nX:", flood: " "),
            (head: "", flood: "1\r\nx\r\n"), (head: "", flood: "00000001;ext\r\nx\r\n"),
        ])
    func refusesFloods(_ input: (head: String, flood: String)) {
        let text = input.head + String(repeating: input.flood, count: 40_000 / input.flood.utf8.count)
        let outcome = self.decode([Array(text.utf8)[...]], maxBytes: 1 << 20)
        #expect(outcome.failure?.status == 400)
    }

    @Test("RFC 9112 7.1: a few thousand chunks of one byte are no flood")
    func acceptsSmallChunks() {
        let text = String(repeating: "1\r\nx\r\n", count: 3000) + "0\r\n\r\n"
        let outcome = self.decode([Array(text.utf8)[...]], maxBytes: 1 << 20)
        #expect(outcome.isDone && outcome.body.count == 3000)
    }
}
