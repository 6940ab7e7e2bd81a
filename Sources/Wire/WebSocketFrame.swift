/// What a frame carries (RFC 6455 section 5.2).
package enum WebSocketOpcode: UInt8, Sendable {
    case continuation = 0x0
    case text = 0x1
    case binary = 0x2
    case close = 0x8
    case ping = 0x9
    case pong = 0xA

    var isControl: Bool { self.rawValue >= 0x8 }
}

/// Whose bytes are decoded.
package enum WebSocketPeer: Sendable {
    /// Masks every frame.
    case client
    /// Masks none.
    case server
}

/// A peer broke RFC 6455. The connection is closed with `closeCode`; `reason` is for people.
package struct WebSocketViolation: Error, Equatable, Sendable {
    package let closeCode: UInt16
    package let reason: String

    static func protocolError(_ reason: String) -> WebSocketViolation {
        WebSocketViolation(closeCode: 1002, reason: reason)
    }
}

/// The head of one frame from a peer.
struct WebSocketFrameHead {
    let isFinal: Bool
    let opcode: WebSocketOpcode
    let payloadLength: Int
    /// The four bytes of the masking key in the order of the wire, lowest byte first; 0 in a server's frame.
    let mask: UInt32
    let length: Int

    /// Reads a head at the front of `bytes`; nil when it is not whole yet.
    ///
    /// Checks all that section 5 asks of a frame: masked by a client and only by it, RSV bits zero, known opcode,
    /// control frames whole and short, shortest length form, and a payload of at most `maxPayload` bytes (1009 above
    /// it).
    init?(_ bytes: UnsafeRawBufferPointer, from peer: WebSocketPeer, maxPayload: Int) throws(WebSocketViolation) {
        guard bytes.count >= 2 else { return nil }
        let first = bytes[0]
        let second = bytes[1]
        guard first & 0x70 == 0 else { throw .protocolError("Reserved bits are set") }
        guard let opcode = WebSocketOpcode(rawValue: first & 0x0F) else { throw .protocolError("Unknown opcode") }
        let maskBytes: Int
        switch peer {
        case .client:
            guard second & 0x80 != 0 else { throw .protocolError("Frame is not masked") }
            maskBytes = 4
        case .server:
            guard second & 0x80 == 0 else { throw .protocolError("Frame is masked") }
            maskBytes = 0
        }
        let isFinal = first & 0x80 != 0
        let short = Int(second & 0x7F)
        if opcode.isControl {
            guard isFinal else { throw .protocolError("Control frame is fragmented") }
            guard short <= 125 else { throw .protocolError("Control frame is too long") }
        }

        let lengthBytes = short < 126 ? 0 : (short == 126 ? 2 : 8)
        guard bytes.count >= 2 + lengthBytes else { return nil }
        let payloadLength: Int
        switch lengthBytes {
        case 0:
            payloadLength = short
        case 2:
            payloadLength = Int(UInt16(bigEndian: bytes.loadUnaligned(fromByteOffset: 2, as: UInt16.self)))
            guard payloadLength > 125 else { throw .protocolError("Length is not in its shortest form") }
        default:
            let long = UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 2, as: UInt64.self))
            guard long >> 63 == 0, long > 0xFFFF else { throw .protocolError("Length is not in its shortest form") }
            payloadLength = Int(long)
        }
        guard payloadLength <= maxPayload else {
            throw WebSocketViolation(closeCode: 1009, reason: "Message is over \(maxPayload) bytes")
        }
        guard bytes.count >= 2 + lengthBytes + maskBytes else { return nil }
        self.isFinal = isFinal
        self.opcode = opcode
        self.payloadLength = payloadLength
        self.mask =
            maskBytes == 0
            ? 0 : UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: 2 + lengthBytes, as: UInt32.self))
        self.length = 2 + lengthBytes + maskBytes
    }

    /// Copies a masked payload to `output`, unmasked. Both have `payload.count` bytes.
    func unmask(_ payload: UnsafeRawBufferPointer, to output: UnsafeMutableRawBufferPointer) {
        WebSocketMask.apply(self.mask, to: payload, output)
    }
}

/// The masking of a client's payload (section 5.3): its own inverse.
enum WebSocketMask {
    /// Copies `payload` to `output` with the key applied, whose lowest byte goes with the first of the payload.
    static func apply(_ mask: UInt32, to payload: UnsafeRawBufferPointer, _ output: UnsafeMutableRawBufferPointer) {
        let wide = UInt64(mask) << 32 | UInt64(mask)
        var index = 0
        while index &+ 8 <= payload.count {
            let word = payload.loadUnaligned(fromByteOffset: index, as: UInt64.self)
            output.storeBytes(
                of: (UInt64(littleEndian: word) ^ wide).littleEndian, toByteOffset: index, as: UInt64.self)
            index &+= 8
        }
        while index < payload.count {
            output[index] = payload[index] ^ UInt8(truncatingIfNeeded: mask >> (8 * UInt32(index & 3)))
            index &+= 1
        }
    }
}

/// A frame to a client: final, unmasked.
package enum ServerWebSocketFrame {
    /// The longest head that a frame of ours has, in bytes.
    package static let maxHeadLength = 10

    /// Writes the head of a frame and returns its length. `output` has room for `maxHeadLength` bytes.
    package static func writeHead(
        _ opcode: WebSocketOpcode, payloadLength: Int, to output: UnsafeMutableRawBufferPointer
    ) -> Int {
        writeLength(opcode, payloadLength: payloadLength, maskBit: 0, to: output)
    }
}

/// A frame to a server: final, masked.
package enum ClientWebSocketFrame {
    /// How many bytes `write` may need beside the payload.
    package static let maxHeadLength = 14

    /// Writes a whole frame and returns its length. `output` has room for the payload and `maxHeadLength` bytes.
    ///
    /// - Parameter mask: the masking key, which nobody may be able to predict (section 5.3).
    package static func write(
        _ opcode: WebSocketOpcode, _ payload: UnsafeRawBufferPointer, mask: UInt32,
        to output: UnsafeMutableRawBufferPointer
    ) -> Int {
        let length = writeLength(opcode, payloadLength: payload.count, maskBit: 0x80, to: output)
        output.storeBytes(of: mask.littleEndian, toByteOffset: length, as: UInt32.self)
        let start = length + 4
        WebSocketMask.apply(
            mask, to: payload, UnsafeMutableRawBufferPointer(rebasing: output[start..<(start + payload.count)]))
        return start + payload.count
    }
}

/// Writes the head of a final frame up to its length, the shortest form of that, and returns how many bytes it took.
private func writeLength(
    _ opcode: WebSocketOpcode, payloadLength: Int, maskBit: UInt8, to output: UnsafeMutableRawBufferPointer
) -> Int {
    output[0] = 0x80 | opcode.rawValue
    switch payloadLength {
    case ...125:
        output[1] = maskBit | UInt8(truncatingIfNeeded: payloadLength)
        return 2
    case ...0xFFFF:
        output[1] = maskBit | 126
        output.storeBytes(of: UInt16(payloadLength).bigEndian, toByteOffset: 2, as: UInt16.self)
        return 4
    default:
        output[1] = maskBit | 127
        output.storeBytes(of: UInt64(payloadLength).bigEndian, toByteOffset: 2, as: UInt64.self)
        return 10
    }
}
