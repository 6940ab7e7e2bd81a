import PusherProtocol
import Support
import Testing

extension SignatureVectors.App {
    var credentials: AppCredentials { AppCredentials(id: self.id, key: self.key, secret: AppSecret(self.secret)) }
}

@Suite struct ChannelSignatureTests {
    private let vectors: SignatureVectors
    private let credentials: AppCredentials

    init() throws {
        self.vectors = try SignatureVectors.load()
        self.credentials = self.vectors.app.credentials
    }

    private func refusal(_ auth: String, signs text: String) -> ChannelSignature.Refusal? {
        #expect(throws: ChannelSignature.Refusal.self) {
            try ChannelSignature.verify(auth, signs: text, credentials: self.credentials)
        }
    }

    @Test("P49, P58, P72: the vectors are made and accepted", arguments: try SignatureVectors.load().channels)
    func channels(_ vector: SignatureVectors.Channel) throws {
        let text = ChannelSignature.stringToSign(
            socketID: self.vectors.socketId, channel: vector.channel, channelData: vector.channelData)
        #expect(text == vector.stringToSign)
        let auth = ChannelSignature.auth(
            socketID: self.vectors.socketId, channel: vector.channel, channelData: vector.channelData,
            credentials: self.credentials)
        #expect(auth == vector.auth)
        try ChannelSignature.verify(vector.auth, signs: text, credentials: self.credentials)
    }

    @Test("P96: the user vector is made and accepted")
    func user() throws {
        let user = self.vectors.user
        let text = ChannelSignature.userStringToSign(socketID: self.vectors.socketId, userData: user.userData)
        #expect(text == user.stringToSign)
        let auth = ChannelSignature.userAuth(
            socketID: self.vectors.socketId, userData: user.userData, credentials: self.credentials)
        #expect(auth == user.auth)
        try ChannelSignature.verify(user.auth, signs: text, credentials: self.credentials)
    }

    @Test("P50: a signature made with another secret is refused")
    func otherSecret() throws {
        let vector = try #require(self.vectors.channels.first)
        let other = AppCredentials(id: "4711", key: self.credentials.key, secret: AppSecret("other"))
        let auth = ChannelSignature.auth(
            socketID: self.vectors.socketId, channel: vector.channel, channelData: nil, credentials: other)
        #expect(self.refusal(auth, signs: vector.stringToSign) == .wrongSignature)
    }

    @Test(
        "P51, P52, P73: a signature for another socket, channel or channel_data is refused",
        arguments: try SignatureVectors.load().channels)
    func otherText(_ vector: SignatureVectors.Channel) {
        for text in [
            vector.stringToSign.replacing("81723.", with: "81724."), vector.stringToSign.replacing("ops", with: "opz"),
            vector.stringToSign + " ", vector.stringToSign.replacing("-ops", with: "-ops:"),
        ] {
            #expect(self.refusal(vector.auth, signs: text) == .wrongSignature)
        }
    }

    @Test(
        "P53: an auth value without colon or with a wrong key half is refused",
        arguments: [
            ("", .malformed), ("abc", .malformed), (":", .wrongKey), (":cefd", .wrongKey),
            ("f3c1a90b7d2e4586aa1:x", .wrongKey),
            ("F3C1A90B7D2E4586AA10:x", .wrongKey), ("f3c1a90b7d2e4586aa10 :x", .wrongKey),
            ("f3c1a90b7d2e4586aa10:", .wrongSignature), ("f3c1a90b7d2e4586aa10::", .wrongSignature),
            ("f3c1a90b7d2e4586aa10:zz", .wrongSignature),
        ] as [(String, ChannelSignature.Refusal)])
    func malformedAuth(_ vector: (auth: String, refusal: ChannelSignature.Refusal)) throws {
        let text = try #require(self.vectors.channels.first).stringToSign
        #expect(self.refusal(vector.auth, signs: text) == vector.refusal)
    }

    @Test(
        "P54: an upper-case, shortened or lengthened signature is refused",
        arguments: try SignatureVectors.load().channels)
    func changedSignature(_ vector: SignatureVectors.Channel) throws {
        let key = self.credentials.key
        let signature = String(vector.auth.dropFirst(key.count + 1))
        for changed in [
            signature.uppercased(), String(signature.dropLast()), signature + "0", " " + signature.dropFirst(),
        ] {
            #expect(self.refusal("\(key):\(changed)", signs: vector.stringToSign) == .wrongSignature)
        }
    }
}
