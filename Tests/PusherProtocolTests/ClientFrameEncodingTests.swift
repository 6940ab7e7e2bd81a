import PusherProtocol
import Testing

@Suite struct ClientFrameEncodingTests {
    private func roundTrip(_ frame: ClientFrame) throws -> ClientFrame {
        try frame.encoded.withUnsafeBytes { try ClientFrame(decoding: $0) }
    }

    @Test(
        "Section 1.6: what a client sends, a server reads as the same",
        arguments: [
            .ping, .pong, .unsubscribe(channel: "a\"b"), .subscribe(SubscribeRequest(channel: "orders")),
            .subscribe(SubscribeRequest(channel: "presence-a", auth: "k:s", channelData: #"{"user_id":"é\u{1}"}"#)),
            .signIn(SignInRequest(auth: "k:s", userData: #"{"id":"1"}"#)),
            .clientEvent(ClientEvent(name: "client-a", channel: "private-b", text: "say \"hi\"\n")),
            .unsupported(event: "pusher:else"),
        ] as [ClientFrame])
    func encoded(_ frame: ClientFrame) throws {
        #expect(try self.roundTrip(frame) == frame)
    }

    @Test("3.7: a subscription is signed where the channel needs it, and nowhere else")
    func signing() throws {
        let credentials = AppCredentials(id: "1", key: "key", secret: AppSecret("secret"))
        func request(_ channel: String, _ channelData: String?) -> SubscribeRequest {
            SubscribeRequest(channel: channel, socketID: "1.2", channelData: channelData, credentials: credentials)
        }
        #expect(request("orders", nil) == SubscribeRequest(channel: "orders"))
        #expect(request("privateer", nil).auth == nil)
        for (channel, data) in [("private-a", nil), ("presence-a", #"{"user_id":"7"}"#)] as [(String, String?)] {
            let request = request(channel, data)
            let text = ChannelSignature.stringToSign(socketID: "1.2", channel: channel, channelData: data)
            try ChannelSignature.verify(try #require(request.auth), signs: text, credentials: credentials)
            #expect(request.channelData == data)
        }
    }
}
