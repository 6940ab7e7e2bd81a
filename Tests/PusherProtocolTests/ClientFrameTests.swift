import PusherProtocol
import Testing

@Suite struct ClientFrameTests {
    private func decode(_ text: String) throws -> ClientFrame {
        try text.withJSONBytes { try ClientFrame(decoding: $0) }
    }

    private func clientEvent(_ text: String) throws -> ClientEvent? {
        guard case .clientEvent(let event) = try self.decode(text) else { return nil }
        return event
    }

    @Test(
        "P21, P22, P23: a ping is a ping, whatever its data",
        arguments: [
            #"{"event":"pusher:ping","data":{}}"#, #"{"event":"pusher:ping"}"#, #"{"event":"pusher:ping","data":""}"#,
            #"{"data":[1],"event":"pusher:ping","channel":null}"#, #" { "event" : "pusher\u003aping" } "#,
        ])
    func ping(_ text: String) throws {
        #expect(try self.decode(text) == .ping)
    }

    @Test("P28: a pong is a pong")
    func pong() throws {
        #expect(try self.decode(#"{"event":"pusher:pong","data":{}}"#) == .pong)
    }

    @Test(
        "P30, P31, P32: what is not a JSON object with an event is an error without a code, which closes nothing",
        arguments: [
            "", "hello", "{", #"{"event":"pusher:ping""#, #"{"event":"pusher:ping"}x"#, "[]", "17", #""pusher:ping""#,
            "null", "{}",
            #"{"data":{}}"#, #"{"event":null}"#, #"{"event":17}"#, #"{"event":{}}"#, #"{"event":["pusher:ping"]}"#,
            #"{"Event":"pusher:ping"}"#, #"{"event":"pusher:ping",}"#,
        ])
    func notAFrame(_ text: String) {
        let error = #expect(throws: ProtocolError.self) { try self.decode(text) }
        #expect(error == .notAFrame)
        #expect(error?.isFatal == false)
    }

    @Test(
        "P33, P37, P88: an event that clients cannot send is unsupported",
        arguments: [
            "pusher:foo", "pusher_internal:member_added", "client", "Client-a", "", "order.shipped", "pusher:signin ",
        ])
    func unsupported(_ name: String) throws {
        #expect(try self.decode(#"{"event":"\#(name)","channel":"a","data":{}}"#) == .unsupported(event: name))
    }

    @Test(
        "P34: a subscribe without a channel is an error without a code",
        arguments: [
            #"{"event":"pusher:subscribe"}"#, #"{"event":"pusher:subscribe","data":{}}"#,
            #"{"event":"pusher:subscribe","data":null}"#, #"{"event":"pusher:subscribe","data":[]}"#,
            #"{"event":"pusher:subscribe","data":{"channel":17}}"#,
            #"{"event":"pusher:subscribe","data":{"channel":null}}"#,
            #"{"event":"pusher:subscribe","data":""}"#, #"{"event":"pusher:subscribe","data":"orders"}"#,
            #"{"event":"pusher:subscribe","channel":"orders"}"#, #"{"event":"pusher:unsubscribe","data":{}}"#,
            #"{"event":"pusher:subscribe","data":"\"{}\""}"#,
        ])
    func channelMissing(_ text: String) {
        let error = #expect(throws: ProtocolError.self) { try self.decode(text) }
        #expect(error == .channelMissing)
    }

    @Test(
        "P35, P39: a subscribe is read from an object and from a JSON-encoded string alike",
        arguments: [
            (#"{"channel":"orders"}"#, nil, nil), (#"{"auth":"","channel":"orders"}"#, "", nil),
            (#"{"channel":"orders","auth":null,"channel_data":null,"x":[{}]}"#, nil, nil),
            (
                #"{"auth":"k:s","channel_data":"{\"user_id\":\"u-17\"}","channel":"orders"}"#, "k:s",
                #"{"user_id":"u-17"}"#
            ),
            (
                #"{"channel_data":"{\"user_id\": 17,\n \"a\":\"\u00e9\"}","channel":"orders"}"#, nil,
                "{\"user_id\": 17,\n \"a\":\"é\"}"
            ),
        ] as [(String, String?, String?)])
    func subscribe(_ vector: (data: String, auth: String?, channelData: String?)) throws {
        let expected = ClientFrame.subscribe(
            SubscribeRequest(channel: "orders", auth: vector.auth, channelData: vector.channelData))
        var encoded = JSONWriter()
        encoded.string(vector.data)
        let string = String(decoding: encoded.bytes, as: UTF8.self)
        #expect(try self.decode(#"{"event":"pusher:subscribe","data":\#(vector.data)}"#) == expected)
        #expect(try self.decode(#"{"event":"pusher:subscribe","data":\#(string)}"#) == expected)
        #expect(
            try self.decode(#"{"event":"pusher:unsubscribe","data":\#(string)}"#) == .unsubscribe(channel: "orders"))
    }

    @Test(
        "P91: a client's string stays the same string, anything else becomes a string of its JSON text",
        arguments: [
            (#""a\u00e9\"\/""#, #""a\u00e9\"\/""#, 5), (#""""#, #""""#, 0),
            (#"{"on": true}"#, #""{\"on\": true}""#, 12),
            ("[1,\n2]", #""[1,\n2]""#, 6), ("17", #""17""#, 2), ("null", #""null""#, 4), ("true", #""true""#, 4),
            (#"{"a":"\n"}"#, #""{\"a\":\"\\n\"}""#, 10),
        ])
    func clientEventData(_ vector: (sent: String, travels: String, count: Int)) throws {
        let event = try #require(
            try self.clientEvent(#"{"event":"client-typing","channel":"private-ops","data":\#(vector.sent)}"#))
        #expect(event.name == "client-typing")
        #expect(event.channel == "private-ops")
        #expect(String(decoding: event.data, as: UTF8.self) == vector.travels)
        #expect(event.dataCount == vector.count)
    }

    @Test("P85: a user_id or socket_id that the client adds is dropped")
    func forgedMembers() throws {
        let plain = try self.clientEvent(#"{"event":"client-a","channel":"presence-ops","data":"x"}"#)
        let forged = try self.clientEvent(
            #"{"user_id":"root","event":"client-a","socket_id":"1.1","channel":"presence-ops","data":"x"}"#)
        #expect(plain == forged)
    }

    @Test(
        "P92: a client event without channel or data is an error",
        arguments: [
            #"{"event":"client-a","data":"x"}"#, #"{"event":"client-a","channel":"private-ops"}"#,
            #"{"event":"client-a","channel":17,"data":"x"}"#, #"{"event":"client-a","channel":null,"data":"x"}"#,
        ])
    func clientEventIncomplete(_ text: String) {
        let error = #expect(throws: ProtocolError.self) { try self.decode(text) }
        #expect(error == .clientEventIncomplete)
    }
}
