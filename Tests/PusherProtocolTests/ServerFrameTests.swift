import PusherProtocol
import Support
import Testing

/// `protocol-spec/vectors/server-frames.json`: what a frame is made of, and its bytes.
private struct ServerFrameVector: Decodable, CustomTestStringConvertible {
    struct Member: Decodable {
        let userId: String
        let userInfo: String

        var member: PresenceMember { PresenceMember(userID: self.userId, userInfo: Array(self.userInfo.utf8)) }
    }

    struct Unknown: Error {
        let make: String
    }

    let rule: String
    let make: String
    let bytes: String
    let first: UInt32?
    let second: UInt32?
    let activityTimeout: Int?
    let error: String?
    let text: String?
    let channel: String?
    let type: String?
    let status: Int?
    let members: [Member]?
    let name: String?
    let data: String?
    let userId: String?

    var testDescription: String { "\(self.rule): \(self.bytes)" }

    static func load() throws -> [ServerFrameVector] {
        struct File: Decodable {
            let frames: [ServerFrameVector]
        }
        let file: File = try Vectors.load("server-frames")
        return file.frames
    }

    func made() throws -> [UInt8] {
        let channelName = ChannelName(self.channel ?? "", limit: 164)
        switch self.make {
        case "ping": return ServerFrame.ping
        case "pong": return ServerFrame.pong
        case "connection_established":
            return ServerFrame.connectionEstablished(
                socketID: SocketID(first: try #require(self.first), second: try #require(self.second)),
                activityTimeout: try #require(self.activityTimeout))
        case "error": return ServerFrame.error(try self.protocolError())
        case "subscription_error":
            return ServerFrame.subscriptionError(
                channel: try #require(self.channel), type: try #require(self.type), error: try #require(self.error),
                status: try #require(self.status))
        case "subscription_succeeded":
            guard let members = self.members else {
                return ServerFrame.subscriptionSucceeded(channel: try #require(channelName))
            }
            return ServerFrame.subscriptionSucceeded(channel: try #require(channelName), members: members.map(\.member))
        case "member_added":
            return ServerFrame.memberAdded(
                channel: try #require(channelName), member: try #require(self.members?.first).member)
        case "member_removed":
            return ServerFrame.memberRemoved(
                channel: try #require(channelName), userID: try #require(self.members?.first).userId)
        case "event":
            return ServerFrame.event(
                name: Array(try #require(self.name).utf8), channel: try #require(channelName),
                data: Array(try #require(self.data).utf8), userID: self.userId)
        default: throw Unknown(make: self.make)
        }
    }

    private func protocolError() throws -> ProtocolError {
        switch self.error {
        case "unknown_key": .unknownKey(try #require(self.text))
        case "unsupported_version": .unsupportedVersion
        case "unsupported_event": .unsupportedEvent(try #require(self.text))
        case "client_event_rate": .clientEventRate
        default: throw Unknown(make: self.error ?? "")
        }
    }
}

@Suite struct ServerFrameTests {
    @Test("1.6: a frame has exactly these bytes", arguments: try ServerFrameVector.load())
    private func bytes(_ vector: ServerFrameVector) throws {
        #expect(String(decoding: try vector.made(), as: UTF8.self) == vector.bytes)
    }

    @Test(
        "P2: data is a JSON string in every frame but the errors, where it is an object",
        arguments: try ServerFrameVector.load())
    private func dataKind(_ vector: ServerFrameVector) throws {
        var kind: JSONSlice.Kind?
        try vector.made().withUnsafeBytes { bytes in
            try JSONReader.members(of: bytes) { name, value in
                if name == "data" { kind = value.kind }
            }
        }
        #expect(kind == (vector.make.hasSuffix("error") ? .object : .string))
    }

    @Test("P71: a numeric user id is a string in every frame")
    func numericUserID() throws {
        let channel = try #require(ChannelName("presence-ops", limit: 164))
        let member = try PresenceMember(channelData: #"{"user_id": 17}"#, limits: Limits())
        for frame in [
            ServerFrame.subscriptionSucceeded(channel: channel, members: [member]),
            ServerFrame.memberAdded(channel: channel, member: member),
            ServerFrame.memberRemoved(channel: channel, userID: member.userID),
        ] {
            #expect(String(decoding: frame, as: UTF8.self).contains(#"\"17\""#))
        }
    }
}
