import Testing
import Wire

@Suite struct ClientWebSocketFrameTests {
    private func frame(_ opcode: WebSocketOpcode, _ payload: [UInt8], mask: UInt32) -> [UInt8] {
        var output = [UInt8](repeating: 0, count: payload.count + ClientWebSocketFrame.maxHeadLength)
        let length = output.withUnsafeMutableBytes { output in
            payload.withUnsafeBytes { ClientWebSocketFrame.write(opcode, $0, mask: mask, to: output) }
        }
        return Array(output[..<length])
    }

    @Test("RFC 6455 5.7: the masked text message of the RFC's example")
    func example() {
        #expect(
            self.frame(.text, Array("Hello".utf8), mask: 0x3D21_FA37)
                == [0x81, 0x85, 0x37, 0xFA, 0x21, 0x3D, 0x7F, 0x9F, 0x4D, 0x51, 0x58])
    }

    @Test(
        "RFC 6455 5.2, 5.3: a frame to a server is read back whole by a server",
        arguments: [0, 1, 7, 8, 9, 125, 126, 65_535, 65_536])
    func roundTrip(_ count: Int) throws {
        let payload = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        var decoder = WebSocketDecoder(maxMessageBytes: max(count, 1), peer: .client)
        let scratch = UnsafeMutableRawBufferPointer.allocate(byteCount: max(count, 125), alignment: 8)
        defer { scratch.deallocate() }
        var received: [[UInt8]] = []
        try self.frame(.binary, payload, mask: 0xA1B2_C3D4).withUnsafeBytes { bytes in
            try decoder.decode(bytes, scratch: scratch) { event in
                if case .binary(let bytes) = event { received.append(Array(bytes)) }
                return true
            }
        }
        #expect(received == [payload])
    }
}
