/// What a peer said, after frames were checked, unmasked and joined.
///
/// The bytes lie in the input or the scratch space given to `decode` and are valid only inside the call that reports
/// them.
package enum WebSocketEvent {
    /// One whole message; text is valid UTF-8.
    case text(UnsafeRawBufferPointer)
    case binary(UnsafeRawBufferPointer)
    case ping(UnsafeRawBufferPointer)
    case pong
    /// The peer closes; nil when it gave no code (reported as 1005). The reason is valid UTF-8.
    case close(code: UInt16?, reason: UnsafeRawBufferPointer)
}

/// Turns the bytes of a peer into messages (RFC 6455 sections 5 to 8). Pure: no I/O, no clock.
///
/// Holds at most one message and one frame head of a peer's bytes, and nothing at all between whole messages.
package struct WebSocketDecoder {
    /// The largest message the peer may send, in bytes.
    package let maxMessageBytes: Int
    private let peer: WebSocketPeer
    /// Received bytes that do not make a whole frame yet.
    private var partial: [UInt8] = []
    /// The payloads of a fragmented message so far.
    private var fragments: [UInt8] = []
    private var fragmentedOpcode: WebSocketOpcode?

    /// - Parameter peer: whose bytes they are: a client's frames are masked, a server's must not be.
    package init(maxMessageBytes: Int, peer: WebSocketPeer) {
        self.maxMessageBytes = maxMessageBytes
        self.peer = peer
    }

    /// How many more bytes the frame that has begun to arrive needs; 0 between frames.
    package private(set) var missingBytes = 0

    /// Takes received bytes and reports every event that they complete, in order, until `report` returns false.
    ///
    /// - Parameter scratch: at least `maxMessageBytes` and 125 bytes long, not used by anybody else during the call.
    /// - Throws: `WebSocketViolation`; nothing more may be decoded then.
    package mutating func decode(
        _ input: UnsafeRawBufferPointer, scratch: UnsafeMutableRawBufferPointer, report: (WebSocketEvent) -> Bool
    ) throws(WebSocketViolation) {
        if self.partial.isEmpty {
            let used = try self.decodeFrames(input, scratch: scratch, report: report)
            if used < input.count { self.partial.append(contentsOf: UnsafeRawBufferPointer(rebasing: input[used...])) }
            return
        }
        var bytes: [UInt8] = []
        swap(&bytes, &self.partial)
        bytes.append(contentsOf: input)
        let used = try bytes.withUnsafeBytes { buffer in
            Result { () throws(WebSocketViolation) in
                try self.decodeFrames(buffer, scratch: scratch, report: report)
            }
        }.get()
        if used == 0 {
            swap(&bytes, &self.partial)
        } else if used < bytes.count {
            self.partial = Array(bytes[used...])
        }
    }

    /// Decodes whole frames and returns how many bytes they took.
    private mutating func decodeFrames(
        _ input: UnsafeRawBufferPointer, scratch: UnsafeMutableRawBufferPointer, report: (WebSocketEvent) -> Bool
    ) throws(WebSocketViolation) -> Int {
        self.missingBytes = 0
        var used = 0
        while used < input.count {
            let rest = UnsafeRawBufferPointer(rebasing: input[used...])
            guard
                let head = try WebSocketFrameHead(rest, from: self.peer, maxPayload: max(self.maxMessageBytes, 125))
            else { break }
            try self.checkSequence(head)
            guard rest.count - head.length >= head.payloadLength else {
                self.missingBytes = head.length + head.payloadLength - rest.count
                break
            }
            let sent = UnsafeRawBufferPointer(rebasing: rest[head.length..<(head.length + head.payloadLength)])
            used += head.length + head.payloadLength
            guard let event = try self.event(head, sent, scratch: scratch) else { continue }
            guard report(event) else { return input.count }
        }
        return used
    }

    /// A continuation needs a beginning, and a beginning must not interrupt another message (section 5.4).
    private func checkSequence(_ head: WebSocketFrameHead) throws(WebSocketViolation) {
        guard !head.opcode.isControl else { return }
        if head.opcode == .continuation {
            guard self.fragmentedOpcode != nil else { throw .protocolError("Nothing to continue") }
        } else {
            guard self.fragmentedOpcode == nil else { throw .protocolError("Fragmented message is not finished") }
        }
        guard head.payloadLength <= self.maxMessageBytes - self.fragments.count else {
            throw WebSocketViolation(closeCode: 1009, reason: "Message is over \(self.maxMessageBytes) bytes")
        }
    }

    private mutating func event(
        _ head: WebSocketFrameHead, _ sent: UnsafeRawBufferPointer, scratch: UnsafeMutableRawBufferPointer
    ) throws(WebSocketViolation) -> WebSocketEvent? {
        let payload: UnsafeRawBufferPointer
        switch self.peer {
        case .client:
            let output = UnsafeMutableRawBufferPointer(rebasing: scratch[..<sent.count])
            head.unmask(sent, to: output)
            payload = UnsafeRawBufferPointer(output)
        case .server: payload = sent
        }

        switch head.opcode {
        case .ping: return .ping(payload)
        case .pong: return .pong
        case .close:
            let code = try Self.closeCode(payload)
            return .close(code: code, reason: UnsafeRawBufferPointer(rebasing: payload.dropFirst(2)))
        case .text, .binary:
            if head.isFinal { return try Self.message(head.opcode, payload) }
            self.fragmentedOpcode = head.opcode
            self.fragments.append(contentsOf: payload)
            return nil
        case .continuation:
            self.fragments.append(contentsOf: payload)
            guard head.isFinal, let opcode = self.fragmentedOpcode else { return nil }
            let whole = UnsafeMutableRawBufferPointer(rebasing: scratch[..<self.fragments.count])
            whole.copyBytes(from: self.fragments)
            self.fragments = []
            self.fragmentedOpcode = nil
            return try Self.message(opcode, UnsafeRawBufferPointer(whole))
        }
    }

    private static func message(
        _ opcode: WebSocketOpcode, _ payload: UnsafeRawBufferPointer
    ) throws(WebSocketViolation) -> WebSocketEvent {
        guard opcode == .text else { return .binary(payload) }
        guard UTF8Validation.isValid(payload) else {
            throw WebSocketViolation(closeCode: 1007, reason: "Text is not UTF-8")
        }
        return .text(payload)
    }

    /// The code of a close frame: absent, or one that may travel (section 7.4), followed by UTF-8.
    private static func closeCode(_ payload: UnsafeRawBufferPointer) throws(WebSocketViolation) -> UInt16? {
        if payload.isEmpty { return nil }
        guard payload.count >= 2 else { throw .protocolError("Close code is incomplete") }
        let code = UInt16(payload[0]) << 8 | UInt16(payload[1])
        switch code {
        case 1000...1003, 1007...1014, 3000...4999: break
        default: throw .protocolError("Close code may not be used")
        }
        guard UTF8Validation.isValid(UnsafeRawBufferPointer(rebasing: payload[2...])) else {
            throw WebSocketViolation(closeCode: 1007, reason: "Close reason is not UTF-8")
        }
        return code
    }
}
