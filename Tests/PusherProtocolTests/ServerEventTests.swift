import PusherProtocol
import Testing

@Suite struct ServerEventTests {
    private func decode(_ text: String) -> ServerEvent? {
        text.withJSONBytes { ServerEvent(decoding: $0) }
    }

    @Test("1.4: what the broker says first is read by a client")
    func established() {
        let frame = ServerFrame.connectionEstablished(
            socketID: SocketID(first: 81_723, second: 4_410_982), activityTimeout: 120)
        let event = self.decode(String(decoding: frame, as: UTF8.self))
        #expect(event?.name == "pusher:connection_established")
        #expect(event?.isDataString == true)
        #expect(event?.channel == nil)
        #expect(event?.established?.socketID == "81723.4410982")
        #expect(event?.established?.activityTimeout == 120)
    }

    @Test(
        "1.4: an activity timeout that is no number of seconds above 0 is none",
        arguments: ["0", "-1", "null", "\"x\"", "1e9", "86401"])
    func noTimeout(_ timeout: String) {
        let event = self.decode(
            #"{"event":"pusher:connection_established","data":{"socket_id":"1.2","activity_timeout":\#(timeout)}}"#)
        #expect(event?.established?.socketID == "1.2")
        #expect(event?.isDataString == false)
        #expect(event?.established?.activityTimeout == nil)
    }

    @Test(
        "1.5: without a well-formed socket id nothing is established",
        arguments: [
            #"{"socket_id":"1"}"#, #"{"socket_id":"a.b"}"#, #"{"socket_id":12.5}"#, "{}", "[]", "17", "null",
        ])
    func noSocketID(_ data: String) throws {
        let event = try #require(self.decode(#"{"event":"pusher:connection_established","data":\#(data)}"#))
        #expect(event.established == nil)
    }

    @Test("2.1: an error is read with its code, in an object or in a string of one")
    func errors() {
        let written = self.decode(String(decoding: ServerFrame.error(.overQuota), as: UTF8.self))
        #expect(written?.failure == .init(code: 4004, message: "Application is over its connection quota"))
        #expect(
            self.decode(#"{"event":"pusher:error","data":"{\"code\":null,\"message\":\"No\"}"}"#)?.failure
                == .init(code: nil, message: "No"))
        #expect(self.decode(#"{"event":"pusher:error","data":"gone"}"#)?.failure == .init(code: nil, message: "gone"))
        #expect(self.decode(#"{"event":"pusher:error"}"#)?.failure == .init(code: nil, message: ""))
        #expect(self.decode(#"{"event":"pusher:ping"}"#)?.failure == nil)
    }

    @Test("1.6: data is what its string says, or the JSON of anything else")
    func data() {
        let event = self.decode(#"{"event":"a","channel":"c","data":"{\"x\": 1}","user_id":"u","more":[]}"#)
        #expect(event?.data == #"{"x": 1}"#)
        #expect(event?.channel == "c")
        #expect(event?.userID == "u")
        #expect(self.decode(#"{"event":"a","data":{"x": 1}}"#)?.data == #"{"x": 1}"#)
        #expect(self.decode(#"{"event":"a"}"#)?.data == nil)
    }

    @Test("1.6: what is not a JSON object with an event is none", arguments: ["", "x", "[]", "{}", #"{"event":1}"#])
    func nonsense(_ text: String) {
        #expect(self.decode(text) == nil)
    }
}
