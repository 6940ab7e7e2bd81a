import Support
import Testing
import Wire

/// `protocol-spec/vectors/websocket-frames.json`.
private struct FrameVectors: Decodable {
    struct Accepted: Decodable, CustomTestStringConvertible {
        let rule: String
        let what: String
        let hex: String
        let events: [Event]

        var testDescription: String { "\(self.rule): \(self.what)" }
    }

    struct Refused: Decodable, CustomTestStringConvertible {
        let rule: String
        let what: String
        let hex: String
        let closeCode: UInt16
        /// What is reported before.
        let events: [Event]

        var testDescription: String { "\(self.rule): \(self.what)" }
    }

    /// A `WebSocketEvent` that outlives its bytes.
    struct Event: Decodable, Equatable {
        let kind: String
        var hex: String?
        var code: UInt16?
    }

    let maxMessageBytes: Int
    let accepted: [Accepted]
    let refused: [Refused]

    static func load() throws -> FrameVectors { try Vectors.load("websocket-frames") }
}

extension FrameVectors.Event {
    fileprivate init(_ event: WebSocketEvent) {
        switch event {
        case .text(let bytes): self.init(kind: "text", hex: Self.hex(bytes))
        case .binary(let bytes): self.init(kind: "binary", hex: Self.hex(bytes))
        case .ping(let bytes): self.init(kind: "ping", hex: Self.hex(bytes))
        case .pong: self.init(kind: "pong")
        case .close(let code, _): self.init(kind: "close", code: code)
        }
    }

    private static func hex(_ bytes: UnsafeRawBufferPointer) -> String {
        bytes.map { String(UInt16($0) | 0x100, radix: 16).dropFirst() }.joined()
    }
}

@Suite struct WebSocketDecoderTests {
    private struct Outcome: Equatable {
        var events: [FrameVectors.Event] = []
        var violation: WebSocketViolation?
        var missingBytes = 0
    }

    private func decode(
        _ pieces: [ArraySlice<UInt8>], maxMessageBytes: Int = 200, from peer: WebSocketPeer = .client
    ) -> Outcome {
        var decoder = WebSocketDecoder(maxMessageBytes: maxMessageBytes, peer: peer)
        var outcome = Outcome()
        let scratch = UnsafeMutableRawBufferPointer.allocate(byteCount: max(maxMessageBytes, 125), alignment: 8)
        defer { scratch.deallocate() }
        for piece in pieces {
            do throws(WebSocketViolation) {
                try Array(piece).withUnsafeBytes { bytes in
                    Result { () throws(WebSocketViolation) in
                        try decoder.decode(bytes, scratch: scratch) {
                            outcome.events.append(FrameVectors.Event($0))
                            return true
                        }
                    }
                }.get()
            } catch {
                outcome.violation = error
                return outcome
            }
        }
        outcome.missingBytes = decoder.missingBytes
        return outcome
    }

    /// A frame: a client's has a random mask.
    private func frame(
        _ opcode: UInt8, _ payload: [UInt8], isFinal: Bool = true, from peer: WebSocketPeer = .client,
        using random: inout SeededGenerator
    ) -> [UInt8] {
        let maskBit: UInt8 = peer == .client ? 0x80 : 0
        var bytes = [(isFinal ? 0x80 : 0) | opcode]
        switch payload.count {
        case ...125: bytes.append(maskBit | UInt8(payload.count))
        case ...0xFFFF: bytes += [maskBit | 0x7E, UInt8(payload.count >> 8), UInt8(payload.count & 255)]
        default: bytes += [maskBit | 0x7F] + (0..<8).map { UInt8(payload.count >> (56 - 8 * $0) & 255) }
        }
        guard peer == .client else { return bytes + payload }
        let mask = (0..<4).map { _ in UInt8.random(in: 0...255, using: &random) }
        return bytes + mask + payload.enumerated().map { $1 ^ mask[$0 % 4] }
    }

    @Test(
        "RFC 6455: well-formed frames become messages, whole and byte by byte",
        arguments: try FrameVectors.load().accepted)
    private func accepts(_ vector: FrameVectors.Accepted) throws {
        let limit = try FrameVectors.load().maxMessageBytes
        let bytes = Vectors.bytes(hex: vector.hex)
        let expected = Outcome(events: vector.events)
        #expect(self.decode([bytes[...]], maxMessageBytes: limit) == expected)
        #expect(self.decode(bytes.map { [$0] }, maxMessageBytes: limit) == expected)
        for cut in 0...bytes.count {
            #expect(self.decode([bytes[..<cut], bytes[cut...]], maxMessageBytes: limit) == expected, "cut at \(cut)")
        }
    }

    @Test(
        "RFC 6455: violations close with their code, whole and byte by byte", arguments: try FrameVectors.load().refused
    )
    private func refuses(_ vector: FrameVectors.Refused) throws {
        let limit = try FrameVectors.load().maxMessageBytes
        let bytes = Vectors.bytes(hex: vector.hex)
        let whole = self.decode([bytes[...]], maxMessageBytes: limit)
        #expect(whole.violation?.closeCode == vector.closeCode)
        #expect(whole.events == vector.events)
        #expect(self.decode(bytes.map { [$0] }, maxMessageBytes: limit) == whole)
        for cut in 0...bytes.count {
            #expect(self.decode([bytes[..<cut], bytes[cut...]], maxMessageBytes: limit) == whole, "cut at \(cut)")
        }
    }

    @Test("RFC 6455 5.2: a message above 64 KiB uses the 64-bit length", arguments: [65_535, 65_536, 100_003])
    func longMessages(_ count: Int) {
        var random = SeededGenerator(seed: UInt64(count))
        let payload = (0..<count).map { _ in UInt8.random(in: 0...255, using: &random) }
        let bytes = self.frame(2, payload, using: &random)
        let hex = payload.map { String(UInt16($0) | 0x100, radix: 16).dropFirst() }.joined()
        let expected = Outcome(events: [FrameVectors.Event(kind: "binary", hex: hex)])
        #expect(self.decode([bytes[...]], maxMessageBytes: count) == expected)
        #expect(self.decode([bytes[..<10], bytes[10..<5000], bytes[5000...]], maxMessageBytes: count) == expected)
        let refused = self.decode([bytes[...]], maxMessageBytes: count - 1)
        #expect(refused.violation?.closeCode == 1009)
    }

    @Test("RFC 6455 7.4.1: the refusal of a large message names the limit, whatever part of it was used")
    func namesTheLimit() {
        var random = SeededGenerator(seed: 3)
        let first = self.frame(1, Array(repeating: 97, count: 150), isFinal: false, using: &random)
        let second = self.frame(0, Array(repeating: 97, count: 51), using: &random)
        let third = self.frame(0, Array(repeating: 97, count: 201), using: &random)
        for bytes in [first + second, first + third] {
            #expect(self.decode([bytes[...]]).violation?.reason == "Message is over 200 bytes")
        }
    }

    @Test(
        "RFC 6455 5.4: random messages in random fragments with control frames between arrive whole and in order",
        arguments: [WebSocketPeer.client, .server])
    func randomConversations(from peer: WebSocketPeer) {
        for seed in 0..<200 as Range<UInt64> {
            var random = SeededGenerator(seed: seed)
            var bytes: [UInt8] = []
            var expected: [FrameVectors.Event] = []
            for _ in 0..<Int.random(in: 1...6, using: &random) {
                let text = String(
                    (0..<Int.random(in: 0...40, using: &random)).map { _ in
                        "aé€😀".randomElement(using: &random) ?? "a"
                    })
                var rest = Array(text.utf8)[...]
                var opcode: UInt8 = 1
                while true {
                    let part = rest.prefix(Int.random(in: 0...60, using: &random))
                    rest = rest.dropFirst(part.count)
                    bytes += self.frame(opcode, Array(part), isFinal: rest.isEmpty, from: peer, using: &random)
                    opcode = 0
                    if rest.isEmpty { break }
                    if random.once(in: 3) {
                        bytes += self.frame(9, [7], from: peer, using: &random)
                        expected.append(FrameVectors.Event(kind: "ping", hex: "07"))
                    }
                }
                let hex = text.utf8.map { String(UInt16($0) | 0x100, radix: 16).dropFirst() }.joined()
                expected.append(FrameVectors.Event(kind: "text", hex: hex))
            }
            var pieces: [ArraySlice<UInt8>] = []
            var rest = bytes[...]
            while !rest.isEmpty {
                pieces.append(rest.prefix(Int.random(in: 1...50, using: &random)))
                rest = rest.dropFirst(pieces[pieces.count - 1].count)
            }
            #expect(self.decode([bytes[...]], from: peer) == Outcome(events: expected), "seed \(seed)")
            #expect(self.decode(pieces, from: peer) == Outcome(events: expected), "seed \(seed)")
        }
    }

    @Test("RFC 6455 5.1: a server's frame may not be masked")
    func refusesMaskedServerFrames() {
        var random = SeededGenerator(seed: 6)
        let violation = self.decode([self.frame(1, [97], using: &random)[...]], from: .server).violation
        #expect(violation?.closeCode == 1002)
        #expect(violation?.reason == "Frame is masked")
    }

    @Test("RFC 6455 5.2: a server's message above 64 KiB uses the 64-bit length", arguments: [65_535, 65_536])
    func longServerMessages(_ count: Int) {
        var random = SeededGenerator(seed: 7)
        let bytes = self.frame(2, Array(repeating: 98, count: count), from: .server, using: &random)
        let hex = String(repeating: "62", count: count)
        let expected = Outcome(events: [FrameVectors.Event(kind: "binary", hex: hex)])
        #expect(self.decode([bytes[...]], maxMessageBytes: count, from: .server) == expected)
        #expect(self.decode([bytes[..<9], bytes[9...]], maxMessageBytes: count, from: .server) == expected)
        #expect(
            self.decode([bytes[...]], maxMessageBytes: count - 1, from: .server).violation?.closeCode == 1009)
    }

    @Test("RFC 6455 5.5.1: a close is reported with its reason", arguments: [WebSocketPeer.client, .server])
    func closeReason(from peer: WebSocketPeer) throws {
        var random = SeededGenerator(seed: 8)
        let bytes = self.frame(8, [0x0F, 0xA1] + Array("no such key".utf8), from: peer, using: &random)
        var decoder = WebSocketDecoder(maxMessageBytes: 200, peer: peer)
        let scratch = UnsafeMutableRawBufferPointer.allocate(byteCount: 200, alignment: 8)
        defer { scratch.deallocate() }
        var closes: [String] = []
        try bytes.withUnsafeBytes { bytes in
            try decoder.decode(bytes, scratch: scratch) { event in
                if case .close(let code, let reason) = event {
                    closes.append("\(code ?? 0) \(String(decoding: reason, as: UTF8.self))")
                }
                return true
            }
        }
        #expect(closes == ["4001 no such key"])
    }

    @Test("RFC 6455 5.2: a frame that has begun says how many bytes it still needs")
    func missingBytes() {
        var random = SeededGenerator(seed: 4)
        let bytes = self.frame(1, Array(repeating: 97, count: 100), using: &random)
        for count in 6..<bytes.count {
            #expect(self.decode([bytes[..<count]]).missingBytes == bytes.count - count)
        }
        #expect(self.decode([bytes[...]]).missingBytes == 0)
    }

    @Test("RFC 6455 5.5.1: nothing is reported once the receiver has had enough")
    func stopsWhenTold() throws {
        var random = SeededGenerator(seed: 5)
        let bytes = self.frame(1, [97], using: &random) + self.frame(8, [], using: &random) + [0xFF, 0xFF]
        var decoder = WebSocketDecoder(maxMessageBytes: 200, peer: .client)
        let scratch = UnsafeMutableRawBufferPointer.allocate(byteCount: 200, alignment: 8)
        defer { scratch.deallocate() }
        var kinds: [String] = []
        try bytes.withUnsafeBytes { bytes in
            try decoder.decode(bytes, scratch: scratch) { event in
                kinds.append(FrameVectors.Event(event).kind)
                return kinds.count < 2
            }
        }
        #expect(kinds == ["text", "close"])
    }
}
