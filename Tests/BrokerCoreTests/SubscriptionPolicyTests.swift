import BrokerCore
import PusherProtocol
import Support
import Testing

@Suite struct SubscriptionPolicyTests {
    private let vectors: SignatureVectors
    private let credentials: AppCredentials
    private let socketID = SocketID(first: 81723, second: 4_410_982)

    init() throws {
        self.vectors = try SignatureVectors.load()
        let app = self.vectors.app
        self.credentials = AppCredentials(id: app.id, key: app.key, secret: AppSecret(app.secret))
    }

    private func admit(
        _ request: SubscribeRequest, socketID: SocketID? = nil, user: UserData? = nil
    ) throws(SubscriptionRefusal) -> Admission {
        try SubscriptionPolicy.admit(
            request, socketID: socketID ?? self.socketID, user: user,
            application: Application(credentials: self.credentials))
    }

    private func refusal(_ request: SubscribeRequest, socketID: SocketID? = nil) -> SubscriptionRefusal? {
        let refusal = #expect(throws: SubscriptionRefusal.self) { try self.admit(request, socketID: socketID) }
        #expect(refusal?.error.isFatal == false)
        return refusal
    }

    private func signed(_ channel: String, channelData: String?) -> SubscribeRequest {
        let auth = ChannelSignature.auth(
            socketID: "\(self.socketID)", channel: channel, channelData: channelData, credentials: self.credentials)
        return SubscribeRequest(channel: channel, auth: auth, channelData: channelData)
    }

    @Test("P38, P39: a public channel needs nothing, and an empty auth does no harm", arguments: [nil, "", "nonsense"])
    func publicChannel(_ auth: String?) throws {
        let admission = try self.admit(SubscribeRequest(channel: "orders", auth: auth))
        #expect(admission.channel.text == "orders")
        #expect(admission.member == nil)
    }

    @Test("P49, P58, P72: the signature vectors are admitted", arguments: try SignatureVectors.load().channels)
    func vectors(_ vector: SignatureVectors.Channel) throws {
        let admission = try self.admit(
            SubscribeRequest(channel: vector.channel, auth: vector.auth, channelData: vector.channelData))
        #expect(admission.channel.text == vector.channel)
        #expect((admission.member != nil) == (vector.channelData != nil))
    }

    @Test(
        "P50, P55, P60: another secret's signature is refused with AuthError",
        arguments: try SignatureVectors.load().channels)
    func otherSecret(_ vector: SignatureVectors.Channel) {
        let other = AppCredentials(id: "4711", key: self.credentials.key, secret: AppSecret("other"))
        let auth = ChannelSignature.auth(
            socketID: self.vectors.socketId, channel: vector.channel, channelData: vector.channelData,
            credentials: other)
        let refusal = self.refusal(
            SubscribeRequest(channel: vector.channel, auth: auth, channelData: vector.channelData))
        #expect(refusal?.kind == .authentication)
        #expect(refusal?.error == .authWrongSignature(stringToSign: vector.stringToSign))
        #expect(
            refusal.map { String(decoding: $0.channelFrame, as: UTF8.self) }?.contains(#""type":"AuthError""#) == true)
    }

    @Test("P51: a signature for another socket is refused", arguments: try SignatureVectors.load().channels)
    func otherSocket(_ vector: SignatureVectors.Channel) {
        let request = SubscribeRequest(channel: vector.channel, auth: vector.auth, channelData: vector.channelData)
        #expect(self.refusal(request, socketID: SocketID(first: 1, second: 1))?.kind == .authentication)
    }

    @Test("P52: a signature for another channel is refused", arguments: try SignatureVectors.load().channels)
    func otherChannel(_ vector: SignatureVectors.Channel) {
        let request = SubscribeRequest(
            channel: vector.channel + "x", auth: vector.auth, channelData: vector.channelData)
        #expect(self.refusal(request)?.kind == .authentication)
    }

    @Test(
        "P53: an auth value that is missing, empty, without colon or with a wrong key half is refused by its cause",
        arguments: [
            (nil, .authMissing("private-ops")), ("", .authMissing("private-ops")),
            ("abc", .authMalformed("private-ops")),
            ("abc:def", .authWrongKey("abc")),
        ] as [(String?, ProtocolError)])
    func malformedAuth(_ vector: (auth: String?, error: ProtocolError)) {
        #expect(self.refusal(SubscribeRequest(channel: "private-ops", auth: vector.auth))?.error == vector.error)
    }

    @Test("P52: channel_data on a private channel is signed too")
    func channelDataOnPrivate() throws {
        #expect(try self.admit(self.signed("private-ops", channelData: "x")).member == nil)
        var request = self.signed("private-ops", channelData: nil)
        request.channelData = "x"
        #expect(self.refusal(request)?.kind == .authentication)
    }

    @Test("P73: channel_data changed by one space after signing is refused")
    func changedChannelData() {
        var request = self.signed("presence-ops", channelData: #"{"user_id":"u-17"}"#)
        request.channelData = #"{"user_id": "u-17"}"#
        #expect(self.refusal(request)?.kind == .authentication)
    }

    @Test("P71, P74, P75: a presence channel needs channel_data with a user_id")
    func channelData() throws {
        let numeric = try self.admit(self.signed("presence-ops", channelData: #"{"user_id":17}"#))
        #expect(numeric.member?.userID == "17")
        for channelData in [nil, "", "x", "{}"] as [String?] {
            #expect(self.refusal(self.signed("presence-ops", channelData: channelData))?.kind == .authentication)
        }
    }

    @Test(
        "P41, P42, P44: a name that is no channel's is refused and repeated in part only",
        arguments: [
            "", "a b", "a/b", "a:b", "ä", "#a", String(repeating: "a", count: 165),
            String(repeating: "\u{301}", count: 9000),
        ])
    func malformedName(_ name: String) throws {
        let refusal = try #require(self.refusal(SubscribeRequest(channel: name)))
        #expect(refusal.kind == .malformed)
        #expect(refusal.channelFrame.count < 1500)
    }

    @Test("P101: a user's channel cannot be subscribed to, signed or not")
    func userChannel() {
        let request = self.signed("#server-to-user-u-17", channelData: nil)
        #expect(self.refusal(request)?.error == .userChannelRefused("#server-to-user-u-17"))
    }

    @Test(
        "P55: the frame on the channel has the type and the status of its kind",
        arguments: [
            (.authentication, "AuthError", 401), (.limit, "LimitReached", 4100), (.malformed, "ServerError", 400),
        ]
            as [(SubscriptionRefusal.Kind, String, Int)])
    func channelFrames(_ vector: (kind: SubscriptionRefusal.Kind, type: String, status: Int)) {
        let refusal = SubscriptionRefusal(vector.kind, channel: "private-ops", error: .presenceFull(100))
        let text = String(decoding: refusal.channelFrame, as: UTF8.self)
        #expect(
            text == #"{"event":"pusher:subscription_error","channel":"private-ops","data":{"type":"\#(vector.type)","#
                + #""error":"The channel has reached its limit of 100 members","status":\#(vector.status)}}"#)
    }
}
