import PusherProtocol
import Testing

@Suite struct UserDataTests {
    @Test("P96: id, user_info and watchlist are read; the info stays byte for byte, a user is watched once")
    func reads() throws {
        let user = try UserData(
            #"{"watchlist":["b","a","b"],"user_info": {"n" : 1.0e3} ,"id":"u-1","other":[1]}"#, limits: Limits())
        #expect(user.id == "u-1")
        #expect(user.channel.text == "#server-to-user-u-1")
        #expect(String(decoding: user.userInfo ?? [], as: UTF8.self) == #"{"n" : 1.0e3}"#)
        #expect(user.watchlist.map(\.userID) == ["b", "a"])
        #expect(!user.watchlistIsCut)
        let bare = try UserData(#"{"id":"u-1","watchlist":null}"#, limits: Limits())
        #expect(String(decoding: bare.userInfo ?? [], as: UTF8.self) == "null")
        #expect(bare.watchlist.isEmpty)
    }

    @Test(
        "P99: what is no object, or has no usable id, is refused",
        arguments: [
            "", "null", "[]", "{", "{}", #"{"id":null}"#, #"{"id":17}"#, #"{"id":""}"#, #"{"id":"ä"}"#,
            #"{"id":"a b"}"#, #"{"id":"a#"}"#, #"{"id":"\#(String(repeating: "a", count: 201))"}"#,
        ])
    func refuses(_ text: String) {
        let error = #expect(throws: ProtocolError.self) { try UserData(text, limits: Limits()) }
        #expect(error?.isFatal == false)
    }

    @Test(
        "5.4: a watchlist is read as far as it names users; numbers are their text",
        arguments: [
            (#"{}"#, []), (#""a""#, []), (#"[17,"b c","a",null,["x"],"ä"]"#, ["17", "a"]), (#"[]"#, []),
        ] as [(String, [String])])
    func watchlists(list: String, ids: [String]) throws {
        let user = try UserData(#"{"id":"a","watchlist":\#(list)}"#, limits: Limits())
        #expect(user.watchlist.map(\.userID) == ids)
    }

    @Test("P76, P81: a user_info over the limit of presence channels is not kept")
    func largeInfo() throws {
        let info = String(repeating: "x", count: 1023)
        #expect(try UserData(#"{"id":"a","user_info":"\#(info)"}"#, limits: Limits()).userInfo == nil)
    }

    @Test("P108: the first hundred are watched")
    func limit() throws {
        func user(_ count: Int) throws -> UserData {
            let ids = (0..<count).map { "\"u\($0)\"" }.joined(separator: ",")
            return try UserData(#"{"id":"a","watchlist":[\#(ids)]}"#, limits: Limits())
        }
        #expect(try user(100).watchlistIsCut == false)
        #expect(try user(101).watchlistIsCut)
        #expect(try user(101).watchlist.map(\.userID) == (0..<100).map { "u\($0)" })
    }

    @Test("A user's channel and that of the watchers belong to the user; no text makes the latter")
    func channels() throws {
        let channel = try #require(ChannelName(user: "u-1"))
        #expect(channel.kind == .user && channel.userID == "u-1")
        #expect(channel.watchers.kind == .watchers && channel.watchers.userID == "u-1")
        #expect(ChannelName(channel.text, limit: 1) == channel)
        #expect(ChannelName(channel.watchers.text, limit: 164) == nil)
    }
}
