import Foundation
import NIOSSL
import PusherProtocol

/// A frame as it came from the server.
enum TestFrame: Equatable, Sendable {
    case text(String)
    case ping(String)
    case pong(String)
    case close(code: Int?, reason: String)
}

/// A message of the Pusher protocol, as far as the tests look at it.
struct TestEvent: Equatable, Sendable {
    var event: String
    var channel: String?
    /// The string in `data`, or the JSON of anything else there, with sorted keys.
    var data: String?
    var userID: String?
    /// Whether `data` was a string.
    var hasStringData = false

    init(_ text: String) throws {
        guard let object = try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any],
            let event = object["event"] as? String
        else { throw RawClient.Unmet(description: "not an event: \(text)") }
        self.event = event
        self.channel = object["channel"] as? String
        self.userID = object["user_id"] as? String
        if let string = object["data"] as? String {
            self.data = string
            self.hasStringData = true
        } else if let value = object["data"] {
            let json = try JSONSerialization.data(withJSONObject: value, options: [.sortedKeys, .fragmentsAllowed])
            self.data = String(decoding: json, as: UTF8.self)
        }
    }
}

/// A Pusher client that speaks in single frames and hides nothing.
actor PusherTestClient {
    nonisolated let raw: RawClient
    private(set) var socketID = ""

    private init(raw: RawClient) {
        self.raw = raw
    }

    /// Upgrades, and expects the server to agree.
    static func connect(
        port: Int, path: String, headers: String = "", tls: NIOSSLContext? = nil
    ) async throws -> PusherTestClient {
        let raw = try await RawClient.connect(port: port, tls: tls)
        try await raw.send(upgradeRequest(path, headers: headers))
        let head: String = try await raw.take("101") { bytes in
            let text = String(decoding: bytes, as: UTF8.self)
            guard let end = text.range(of: "\r\n\r\n") else { return nil }
            return (String(text[..<end.upperBound]), text[..<end.upperBound].utf8.count)
        }
        guard head.hasPrefix("HTTP/1.1 101 "), head.contains("Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n")
        else { throw RawClient.Unmet(description: "no upgrade: \(head)") }
        return PusherTestClient(raw: raw)
    }

    func awaitEstablished() async throws {
        let event = try await self.next()
        struct Established: Decodable {
            let socket_id: String
        }
        self.socketID = try JSONDecoder().decode(Established.self, from: Data((event.data ?? "").utf8)).socket_id
    }

    // MARK: Receiving

    func nextFrame() async throws -> TestFrame {
        try await self.raw.take("WebSocket frame") { bytes in
            guard bytes.count >= 2 else { return nil }
            var (start, length) = (2, Int(bytes[1]))
            if length == 126 {
                guard bytes.count >= 4 else { return nil }
                (start, length) = (4, Int(bytes[2]) << 8 | Int(bytes[3]))
            } else if length == 127 {
                guard bytes.count >= 10 else { return nil }
                (start, length) = (10, bytes[2..<10].reduce(0) { $0 << 8 | Int($1) })
            }
            guard bytes.count >= start + length else { return nil }
            let payload = bytes[start..<(start + length)]
            let text = String(decoding: payload, as: UTF8.self)
            let frame: TestFrame
            switch bytes[0] {
            case 0x81: frame = .text(text)
            case 0x89: frame = .ping(text)
            case 0x8A: frame = .pong(text)
            case 0x88:
                let code = payload.count >= 2 ? payload.prefix(2).reduce(0) { $0 << 8 | Int($1) } : nil
                frame = .close(code: code, reason: String(decoding: payload.dropFirst(2), as: UTF8.self))
            default: throw RawClient.Unmet(description: "unexpected frame \(bytes[0])")
            }
            return (frame, start + length)
        }
    }

    /// The next message, which must be one.
    func next() async throws -> TestEvent {
        let frame = try await self.nextFrame()
        guard case .text(let text) = frame else { throw RawClient.Unmet(description: "no message but \(frame)") }
        return try TestEvent(text)
    }

    /// The next close frame's code, after any messages.
    func closeCode() async throws -> Int? {
        while true {
            if case .close(let code, _) = try await self.nextFrame() { return code }
        }
    }

    // MARK: Sending

    nonisolated func send(_ text: String) async throws {
        try await self.raw.send(clientFrame(0x81, Array(text.utf8)))
    }

    /// Subscribes, signing where the channel needs it, and returns the answer.
    @discardableResult
    func subscribe(_ channel: String, channelData: String? = nil) async throws -> TestEvent {
        try await self.send(self.subscription(channel, channelData: channelData))
        return try await self.next()
    }

    /// Subscribes to public channels, many with each packet.
    func subscribe(toAll channels: [String]) async throws {
        for start in stride(from: 0, to: channels.count, by: 100) {
            let some = channels[start..<min(start + 100, channels.count)]
            let messages = some.map { #"{"event":"pusher:subscribe","data":{"channel":"\#($0)"}}"# }
            try await self.raw.send(messages.flatMap { clientFrame(0x81, Array($0.utf8)) })
            for _ in some { _ = try await self.nextFrame() }
        }
    }

    /// The `pusher:subscribe` message for a channel, signed for this connection.
    func subscription(
        _ channel: String, channelData: String? = nil, credentials: AppCredentials = TestBroker.credentials
    ) throws -> String {
        var data = ["channel": channel]
        if channel.hasPrefix("private-") || channel.hasPrefix("presence-") {
            data["auth"] = ChannelSignature.auth(
                socketID: self.socketID, channel: channel, channelData: channelData, credentials: credentials)
        }
        data["channel_data"] = channelData
        let json = try JSONSerialization.data(withJSONObject: ["event": "pusher:subscribe", "data": data])
        return String(decoding: json, as: UTF8.self)
    }

    /// Signs in and returns the answer. `damage` is put behind the signature.
    @discardableResult
    func signIn(_ userData: String, damage: String = "") async throws -> TestEvent {
        try await self.sendSignIn(userData, damage: damage)
        return try await self.next()
    }

    func sendSignIn(_ userData: String, damage: String = "") async throws {
        let data = ["auth": self.userAuth(userData) + damage, "user_data": userData]
        let json = try JSONSerialization.data(withJSONObject: ["event": "pusher:signin", "data": data])
        try await self.send(String(decoding: json, as: UTF8.self))
    }

    /// The `auth` value of a sign-in on this connection.
    func userAuth(_ userData: String) -> String {
        ChannelSignature.userAuth(socketID: self.socketID, userData: userData, credentials: TestBroker.credentials)
    }

    /// Proves that nothing was left to come: everything sent before this ping has been answered before its pong.
    func expectNothingMore() async throws {
        try await self.send(#"{"event":"pusher:ping"}"#)
        let event = try await self.next()
        guard event.event == "pusher:pong" else { throw RawClient.Unmet(description: "unexpected \(event)") }
    }
}

/// The opening handshake with the nonce of RFC 6455's example.
func upgradeRequest(_ path: String, headers: String = "") -> String {
    "GET \(path) HTTP/1.1\r\nHost: test\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n"
        + "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\(headers)\r\n"
}

/// A masked frame. `first` is its first byte.
func clientFrame(_ first: UInt8, _ payload: [UInt8]) -> [UInt8] {
    let mask: [UInt8] = [0x12, 0xA7, 0x00, 0xFF]
    var bytes = [first]
    switch payload.count {
    case ...125: bytes.append(0x80 | UInt8(payload.count))
    case ...0xFFFF: bytes += [0x80 | 126, UInt8(payload.count >> 8), UInt8(payload.count & 0xFF)]
    default: bytes += [0x80 | 127] + (0..<8).reversed().map { UInt8(payload.count >> ($0 * 8) & 0xFF) }
    }
    bytes += mask
    bytes += payload.enumerated().map { $1 ^ mask[$0 & 3] }
    return bytes
}
