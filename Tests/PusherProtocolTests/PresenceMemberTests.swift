import PusherProtocol
import Testing

@Suite struct PresenceMemberTests {
    private func member(_ channelData: String) throws -> PresenceMember {
        try PresenceMember(channelData: channelData, limits: Limits())
    }

    @Test(
        "P63, P71, P72: an id is text, whatever it was, and user_info stays as it was written",
        arguments: [
            (#"{"user_id":"u-17","user_info":{"name":"Ada"}}"#, "u-17", #"{"name":"Ada"}"#),
            (#"{ "user_info" : { "name" : "Ada" } , "user_id" : 17 }"#, "17", #"{ "name" : "Ada" }"#),
            (#"{"user_id":"17"}"#, "17", "null"), (#"{"user_id":"a","user_info":null}"#, "a", "null"),
            (#"{"user_id":"\u00e9","user_info":"\u00e9"}"#, "é", #""\u00e9""#),
            (#"{"user_id":"a","user_info":[1,{}],"more":true}"#, "a", "[1,{}]"), (#"{"user_id":-1.5}"#, "-1.5", "null"),
        ])
    func reads(_ vector: (channelData: String, userID: String, userInfo: String)) throws {
        let member = try self.member(vector.channelData)
        #expect(member.userID == vector.userID)
        #expect(String(decoding: member.userInfo, as: UTF8.self) == vector.userInfo)
    }

    @Test(
        "P75: what is not a JSON object with a user_id is refused with an error that closes nothing",
        arguments: [
            "", "x", "[]", "17", "null", "{}", #"{"user_id":""}"#, #"{"user_id":null}"#, #"{"user_id":true}"#,
            #"{"user_id":{}}"#, #"{"user_id":["a"]}"#, #"{"user_id":"a"}x"#, #"{"user_id":"a""#, #"{"USER_ID":"a"}"#,
        ])
    func refuses(_ channelData: String) {
        let error = #expect(throws: ProtocolError.self) { try self.member(channelData) }
        #expect(error?.code == nil && error?.isFatal == false)
    }

    @Test("P76: an id of 128 characters is accepted, one of 129 is refused", arguments: ["a", "é", #"\u00e9"#])
    func idLength(_ character: String) throws {
        #expect(try self.member(#"{"user_id":"\#(String(repeating: character, count: 128))"}"#).userID.count == 128)
        #expect(throws: ProtocolError.self) {
            try self.member(#"{"user_id":"\#(String(repeating: character, count: 129))"}"#)
        }
    }

    @Test("P76: a user object of 1024 bytes is accepted, one of 1025 is refused")
    func objectSize() throws {
        let frame = #"{"user_id":"a","user_info":""}"#
        func object(_ bytes: Int) -> String {
            #"{"user_id":"a","user_info":"\#(String(repeating: "x", count: bytes - frame.utf8.count))"}"#
        }
        #expect(try self.member(object(1024)).userID == "a")
        #expect(throws: ProtocolError.self) { try self.member(object(1025)) }
    }
}
