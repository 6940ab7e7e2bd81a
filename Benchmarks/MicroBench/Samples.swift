import BrokerCore
import PusherProtocol

/// Inputs of the usual shapes and sizes.
enum Sample {
    static let credentials = AppCredentials(
        id: "4711", key: "f3c1a90b7d2e4586aa10", secret: AppSecret("b7e2d94c1f60835ae4d2"))
    static let application = Application(credentials: Self.credentials)
    static let limits = Limits()
    static let socketID = SocketID(first: 1_234_567_890, second: 3_456_789_012)
    static let now: Int64 = 1_700_000_000
    static let channel = channel("private-chat.4711")

    static func channel(_ name: String) -> ChannelName { unwrap(ChannelName(name, limit: 164)) }

    /// Text of so many bytes with nothing to escape.
    static func text(_ count: Int) -> [UInt8] { (0..<count).map { UInt8(ascii: "a") + UInt8($0 % 26) } }

    /// A JSON string of a JSON object, as publishers send data: of about so many bytes, a quotation mark in each sixteen.
    static func data(_ count: Int) -> [UInt8] {
        var json = JSONWriter()
        json.literal(#"{"id":4711,"text":""#)
        json.verbatim(Self.text(max(count - 24, 0)))
        json.literal(#""}"#)
        var data = JSONWriter()
        data.string(json.bytes)
        return data.bytes
    }

    static let eventName = Array(#""message.created""#.utf8)

    static let members = (0..<100).map { index in
        PresenceMember(
            userID: "user-\(index)", userInfo: Array(#"{"name":"Ada Lovelace","avatar":"/a/\#(index).png"}"#.utf8))
    }

    static func channelData(_ index: Int) -> String {
        #"{"user_id":"user-\#(index)","user_info":{"name":"Ada Lovelace","avatar":"/a/\#(index).png"}}"#
    }

    /// The body of `POST /events`.
    static func trigger(dataBytes: Int) -> [UInt8] {
        var writer = JSONWriter()
        writer.literal(#"{"name":"message.created","channel":"private-chat.4711","data":"#)
        writer.verbatim(Self.data(dataBytes))
        writer.literal("}")
        return writer.bytes
    }

    static let triggerOfHundredChannels = Array(
        (#"{"name":"message.created","channels":["#
            + (0..<100).map { #""private-chat.\#($0)""# }.joined(separator: ",")
            + #"],"data":"{\"id\":4711}"}"#).utf8)

    static let batch: [UInt8] = {
        var writer = JSONWriter()
        writer.literal(#"{"batch":["#)
        for index in 0..<10 {
            if index > 0 { writer.literal(",") }
            writer.verbatim(Self.trigger(dataBytes: 64))
        }
        writer.literal("]}")
        return writer.bytes
    }()

    static let path = "/apps/4711/events"
    static let signedQuery = RequestSignature.signedQuery(
        method: "POST", path: Self.path, body: Self.trigger(dataBytes: 64), timestamp: Self.now,
        credentials: Self.credentials)

    /// The head of a publish as an SDK sends it.
    static let publishHead = Array(
        ("POST \(Self.path)?\(Self.signedQuery) HTTP/1.1\r\nHost: ws.example.test:6001\r\n"
            + "User-Agent: pusher-http-php/7.2.4\r\nContent-Type: application/json\r\nAccept: */*\r\n"
            + "X-Pusher-Library: pusher-http-php 7.2.4\r\nContent-Length: 138\r\n\r\n").utf8)

    /// The head of a browser's handshake.
    static let upgradeHead = Array(
        ("GET /app/f3c1a90b7d2e4586aa10?protocol=7&client=js&version=8.4.0&flash=false HTTP/1.1\r\n"
            + "Host: ws.example.test\r\nConnection: Upgrade\r\nPragma: no-cache\r\nCache-Control: no-cache\r\n"
            + "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0"
            + " Safari/537.36\r\nUpgrade: websocket\r\nOrigin: https://app.example.test\r\n"
            + "Sec-WebSocket-Version: 13\r\nAccept-Encoding: gzip, deflate, br, zstd\r\n"
            + "Accept-Language: en-GB,en;q=0.9\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
            + "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n\r\n").utf8)

    /// A message from a client, in one masked frame or in several.
    static func clientFrames(_ message: [UInt8], pieces: Int = 1) -> [UInt8] {
        let mask: [UInt8] = [0x37, 0xFA, 0x21, 0x3D]
        var frames: [UInt8] = []
        for piece in 0..<pieces {
            let payload = message[(message.count * piece / pieces)..<(message.count * (piece + 1) / pieces)]
            frames.append((piece == pieces - 1 ? 0x80 : 0) | (piece == 0 ? 1 : 0))
            if payload.count < 126 {
                frames.append(0x80 | UInt8(payload.count))
            } else {
                frames += [0x80 | 126, UInt8(payload.count >> 8), UInt8(payload.count & 255)]
            }
            frames += mask
            frames += payload.enumerated().map { $1 ^ mask[$0 & 3] }
        }
        return frames
    }

    static let subscribe = Array(
        (#"{"event":"pusher:subscribe","data":{"channel":"private-chat.4711","auth":""#
            + ChannelSignature.auth(
                socketID: Self.socketID.description, channel: "private-chat.4711", channelData: nil,
                credentials: Self.credentials) + #""}}"#).utf8)

    static let clientEvent = Array(
        #"{"event":"client-typing","channel":"private-chat.4711","data":"{\"user\":\"ada\",\"is_typing\":true}"}"#.utf8)
    static let clientEventWithObject = Array(
        #"{"event":"client-typing","channel":"private-chat.4711","data":{"user":"ada","is_typing":true}}"#.utf8)
}
