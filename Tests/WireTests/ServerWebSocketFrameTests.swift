import Testing
import Wire

@Suite struct ServerWebSocketFrameTests {
    @Test(
        "RFC 6455 5.2: the head of a frame to a client is final, unmasked and in the shortest form",
        arguments: [
            (0, [0x81, 0]), (125, [0x81, 125]), (126, [0x81, 126, 0, 126]), (65_535, [0x81, 126, 255, 255]),
            (65_536, [0x81, 127, 0, 0, 0, 0, 0, 1, 0, 0]),
        ] as [(Int, [UInt8])])
    func heads(_ vector: (count: Int, head: [UInt8])) {
        var output = [UInt8](repeating: 0, count: ServerWebSocketFrame.maxHeadLength)
        let length = output.withUnsafeMutableBytes {
            ServerWebSocketFrame.writeHead(.text, payloadLength: vector.count, to: $0)
        }
        #expect(Array(output[..<length]) == vector.head)
    }

    @Test("RFC 6455 5.2: the opcode of a frame to a client is the one asked for")
    func opcodes() {
        let opcodes: [WebSocketOpcode] = [.continuation, .text, .binary, .close, .ping, .pong]
        for opcode in opcodes {
            var output = [UInt8](repeating: 0, count: ServerWebSocketFrame.maxHeadLength)
            _ = output.withUnsafeMutableBytes { ServerWebSocketFrame.writeHead(opcode, payloadLength: 0, to: $0) }
            #expect(output[0] == 0x80 | opcode.rawValue)
        }
    }
}
