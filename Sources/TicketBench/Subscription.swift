import Foundation

/// A WebSocket connection to the broker with one private channel.
final class Subscription {
    let socket: Socket
    private var request = 0

    /// Connects and subscribes; `authorize` gets the socket id and returns the signature.
    init(port: Int, key: String, channel: String, authorize: (String) throws -> String) throws {
        self.socket = try Socket(port: port)
        try self.socket.send(
            Array(
                ("GET /app/\(key)?protocol=7 HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                    + "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n").utf8))
        while self.socket.find("\r\n\r\n") == nil { try self.socket.receive() }
        guard self.socket.number(at: 9).value == 101, let end = self.socket.find("\r\n\r\n") else {
            throw Failure("the broker refused the WebSocket")
        }
        self.socket.take(end + 4)
        let established = try self.text()
        // "data" is a JSON text within the JSON text.
        let mark = #"socket_id\":\""#
        guard let start = established.range(of: mark)?.upperBound,
            let end = established[start...].firstIndex(of: "\\")
        else { throw Failure("no socket id in \(established)") }
        let signature = try authorize(String(established[start..<end]))
        try self.send(
            #"{"event":"pusher:subscribe","data":{"channel":"\#(channel)","auth":"\#(signature)"}}"#)
        let answer = try self.text()
        guard answer.contains("subscription_succeeded") else { throw Failure("not subscribed: \(answer)") }
    }

    /// Hands every frame that is complete to `body` as offset and length of its payload in the socket's buffer.
    func frames(_ body: (_ offset: Int, _ length: Int) throws -> Void) throws {
        while let (opcode, offset, length) = self.next() {
            switch opcode {
            case 1: try body(offset, length)
            case 9: try self.send(Array(self.socket.bytes(offset..<offset + length)), opcode: 10)
            case 8: throw Failure("the broker closed a connection")
            default: break
            }
            self.socket.take(offset + length)
        }
    }

    /// The next text, which is waited for.
    private func text() throws -> String {
        while true {
            while let (opcode, offset, length) = self.next() {
                defer { self.socket.take(offset + length) }
                if opcode == 1 { return String(decoding: self.socket.bytes(offset..<offset + length), as: UTF8.self) }
            }
            try self.socket.receive()
        }
    }

    /// RFC 6455 section 5.2; a server does not mask, and the broker does not fragment.
    private func next() -> (opcode: UInt8, offset: Int, length: Int)? {
        let available = self.socket.end - self.socket.start
        guard available >= 2 else { return nil }
        let head = self.socket.bytes(0..<min(10, available))
        func byte(_ index: Int) -> Int { Int(head[head.startIndex + index]) }
        var (offset, length) = (2, byte(1))
        // No frame of this broker needs the longest form.
        if length == 126 {
            guard available >= 4 else { return nil }
            (offset, length) = (4, byte(2) << 8 | byte(3))
        }
        guard available >= offset + length else { return nil }
        return (UInt8(byte(0) & 15), offset, length)
    }

    private func send(_ text: String) throws {
        try self.send(Array(text.utf8), opcode: 1)
    }

    /// Masked with zeros, which leaves the payload as it is.
    private func send(_ payload: [UInt8], opcode: UInt8) throws {
        let length: [UInt8] =
            payload.count < 126
            ? [0x80 | UInt8(payload.count)] : [0x80 | 126, UInt8(payload.count >> 8 & 255), UInt8(payload.count & 255)]
        try self.socket.send([0x80 | opcode] + length + [0, 0, 0, 0] + payload)
    }
}
