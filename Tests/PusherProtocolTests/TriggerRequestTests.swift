import PusherProtocol
import Testing

@Suite struct TriggerRequestTests {
    private func decode(_ body: String, query: String = "") throws -> TriggerRequest {
        let digest = body.isEmpty ? "" : "&body_md5=x"
        let query = try #require(
            QueryParameters("\(query)&auth_key=x&auth_timestamp=x&auth_version=x&auth_signature=x\(digest)"))
        return try body.withJSONBytes { try TriggerRequest(decoding: $0, query: query, limits: Limits()) }
    }

    private func decodeBatch(_ body: String) throws -> [TriggerRequest] {
        try body.withJSONBytes { try TriggerRequest.batch(decoding: $0, limits: Limits()) }
    }

    /// The status that a body is refused with; nil when it is accepted.
    private func status(_ body: String, query: String = "") throws -> Int? {
        try self.rejection(body, query: query)?.status
    }

    private func rejection(_ body: String, query: String = "") throws -> RequestRejection? {
        do {
            _ = try self.decode(body, query: query)
            return nil
        } catch let rejection as RequestRejection {
            return rejection
        }
    }

    /// What the deprecated per-channel trigger makes of a body and a query.
    private func decode(raw body: String, query: String) throws -> TriggerRequest {
        let query = try #require(QueryParameters(query))
        let channel = try #require(ChannelName("orders", limit: 164))
        return try body.withJSONBytes { try TriggerRequest(decoding: $0, to: channel, query: query, limits: Limits()) }
    }

    private func event(channels: Int = 1, name: String = "n", data: String = "d") -> String {
        let list = (0..<channels).map { "\"c\($0)\"" }.joined(separator: ",")
        return #"{"name":"\#(name)","channels":[\#(list)],"data":"\#(data)"}"#
    }

    @Test("P125: channels and channel both name channels, and channels wins")
    func channels() throws {
        #expect(try self.decode(#"{"name":"n","channels":["a","b"],"data":""}"#).channels.map(\.text) == ["a", "b"])
        #expect(try self.decode(#"{"name":"n","channel":"a","data":""}"#).channels.map(\.text) == ["a"])
        #expect(
            try self.decode(#"{"channel":"x","channels":["a"],"name":"n","data":""}"#).channels.map(\.text) == ["a"])
    }

    @Test(
        "P126: name and data are kept byte for byte",
        arguments: [#""""#, #""{\"id\":42}""#, #""\u00e9\/é \ud83d\ude00""#, #""\ud800""#])
    func verbatim(_ data: String) throws {
        let request = try self.decode(#"{ "name" : "\u006e" , "data" : \#(data) , "channel" : "a" }"#)
        #expect(String(decoding: request.data, as: UTF8.self) == data)
        #expect(String(decoding: request.name, as: UTF8.self) == #""\u006e""#)
    }

    @Test(
        "P127, P128: socket_id excludes one of ours, is nothing when foreign or null, and is refused when malformed",
        arguments: [
            (#""81723.4410982""#, true, nil), (#""99999999999.1""#, false, nil), ("null", false, nil),
            (#""x""#, false, 400),
            (#""""#, false, 400), ("17.1", false, 400), ("{}", false, 400),
        ] as [(String, Bool, Int?)])
    func socketID(_ vector: (socketID: String, isExcluded: Bool, status: Int?)) throws {
        let body = #"{"name":"n","channel":"a","data":"","socket_id":\#(vector.socketID)}"#
        #expect(try self.status(body) == vector.status)
        guard vector.status == nil else { return }
        let excluded = SocketID(first: 81723, second: 4_410_982)
        #expect(try self.decode(body).excluded == (vector.isExcluded ? excluded : nil))
    }

    @Test("P129: 100 channels are accepted, 101 are refused, repeated ones too")
    func channelCount() throws {
        #expect(try self.decode(self.event(channels: 100)).channels.count == 100)
        #expect(try self.status(self.event(channels: 101)) == 400)
        let repeated = Array(repeating: #""a""#, count: 101).joined(separator: ",")
        #expect(try self.status(#"{"name":"n","data":"","channels":[\#(repeated)]}"#) == 400)
    }

    @Test(
        "P130: 10240 bytes of data are accepted and 10241 are refused with 413, counted as what the escapes say",
        arguments: [("a", 1), ("é", 2), (#"\u00e9"#, 2), (#"\n"#, 1), (#"\ud83d\ude00"#, 4), ("😀", 4), (#"\u0000"#, 1)])
    func dataSize(_ vector: (character: String, bytes: Int)) throws {
        let fitting = String(repeating: vector.character, count: 10_240 / vector.bytes)
        #expect(try self.status(self.event(data: fitting)) == nil)
        #expect(try self.status(self.event(data: fitting + "a")) == 413)
    }

    @Test("P131: a name of 200 characters is accepted, one of 201 is refused", arguments: ["a", "é", #"\u00e9"#, "😀"])
    func nameLength(_ character: String) throws {
        #expect(try self.status(self.event(name: String(repeating: character, count: 200))) == nil)
        #expect(try self.status(self.event(name: String(repeating: character, count: 201))) == 400)
    }

    @Test(
        "P132: what is missing, of the wrong kind or not JSON is refused with 400",
        arguments: [
            "", "{", "[]", "null", "{}", #"{"channel":"a","data":""}"#, #"{"name":"n","data":""}"#,
            #"{"name":"n","channel":"a"}"#, #"{"name":17,"channel":"a","data":""}"#,
            #"{"name":"","channel":"a","data":""}"#,
            #"{"name":"n","channel":"a","data":{}}"#, #"{"name":"n","channel":"a","data":null}"#,
            #"{"name":"n","channels":"a","data":""}"#, #"{"name":"n","channels":[],"data":""}"#,
            #"{"name":"n","channels":[17],"data":""}"#, #"{"name":"n","channels":["a",null],"data":""}"#,
            #"{"name":"n","channels":null,"channel":"a","data":""}"#, #"{"name":"n","channel":17,"data":""}"#,
            #"{"name":"n","channel":"a b","data":""}"#, ##"{"name":"n","channels":["a","#x"],"data":""}"##,
            #"{"name":"n","channel":"a","data":""}}"#, #"{"name":"n","channel":"a","data":"",}"#,
        ])
    func malformed(_ body: String) throws {
        #expect(try self.status(body) == 400)
    }

    @Test("P133: empty data is accepted")
    func emptyData() throws {
        #expect(try self.decode(self.event(data: "")).data == Array(#""""#.utf8))
    }

    @Test(
        "P134: reserved names are refused, however they are written",
        arguments: [
            ("pusher:ping", 400), ("pusher_internal:member_added", 400), (#"pusher\u003aping"#, 400), ("pusher", nil),
            ("Pusher:x", nil), ("client-x", nil), (#"pusher:\u0301"#, 400),
        ] as [(String, Int?)])
    func reservedNames(_ vector: (name: String, status: Int?)) throws {
        #expect(try self.status(self.event(name: vector.name)) == vector.status)
    }

    @Test("P135: a channel listed twice counts once, in the order of its first mention")
    func repeatedChannels() throws {
        let request = try self.decode(#"{"name":"n","channels":["b","a","b","a"],"data":""}"#)
        #expect(request.channels.map(\.text) == ["b", "a"])
    }

    @Test(
        "P136: info is a comma-separated list; what it does not know it passes over",
        arguments: [
            (#""subscription_count,user_count""#, [.userCount, .subscriptionCount]), (#""user_count""#, .userCount),
            (#""cache, user_count""#, []), (#""""#, []), ("null", []), ("17", []),
        ] as [(String, ChannelAttributes)])
    func info(_ vector: (info: String, attributes: ChannelAttributes)) throws {
        let request = try self.decode(#"{"name":"n","channel":"a","data":"","info":\#(vector.info)}"#)
        #expect(request.info == vector.attributes)
    }

    @Test(
        "8.1: what the body does not have may stand in the query, which a body may go without",
        arguments: [
            ("", "name=n&data=d&channel=a", ["a"]), ("{}", "name=n&data=d&channels[]=a&channels[]=b", ["a", "b"]),
            ("", "name=n&data=d&channels[0]=a,b&channels[1]=c", ["a,b", "c"]),
            (#"{"name":"n","channel":"a"}"#, "data=d", ["a"]),
            (#"{"name":"n","data":"d"}"#, "Channels%5B%5D=a", ["a"]),
            (#"{"name":"n","data":"d","channel":"a"}"#, "name=x&data=x&channels[]=x&channel=x", ["a"]),
            (#"{"name":"n","data":"d","channels":["a"]}"#, "channel=x", ["a"]),
        ])
    func queryParameters(_ vector: (body: String, query: String, channels: [String])) throws {
        let request = try self.decode(
            vector.body, query: "\(vector.query)&info=user_count&socket_id=81723.4410982&other=1")
        #expect(String(decoding: request.name, as: UTF8.self) == #""n""#)
        #expect(String(decoding: request.data, as: UTF8.self) == #""d""#)
        #expect(request.channels.map(\.text) == vector.channels)
        #expect(request.excluded == SocketID(first: 81723, second: 4_410_982))
        #expect(request.info == .userCount)
    }

    @Test(
        "8.1: one parameter in the query is enough to be looked at",
        arguments: [
            (#"{"data":"d","channel":"a"}"#, "name=n"), (#"{"name":"n","channel":"a"}"#, "data=d"),
            (#"{"name":"n","data":"d"}"#, "channel=a"), (#"{"name":"n","data":"d"}"#, "channels[]=a"),
            ("", "name=n&data=d&channel=a"),
        ])
    func oneQueryParameter(_ vector: (body: String, query: String)) throws {
        let expected = try self.decode(#"{"name":"n","data":"d","channel":"a"}"#)
        #expect(try self.decode(vector.body, query: vector.query) == expected)
    }

    @Test("8.1: what stands in the query is a string there, and becomes one in JSON")
    func queryStrings() throws {
        let request = try self.decode("", query: "name=%22n%22&data=%7B%22a%22:%22%5C%0A%C3%A9+%22%7D&channel=a")
        #expect(String(decoding: request.name, as: UTF8.self) == #""\"n\"""#)
        #expect(String(decoding: request.data, as: UTF8.self) == #""{\"a\":\"\\\né+\"}""#)
    }

    @Test(
        "P128–P134: what stands in the query is checked like a body",
        arguments: [
            ("data=d&channel=a", 400), ("name=n&channel=a", 400), ("name=n&data=d", 400),
            ("name=n&data=d&channels=a", 400), ("name=n&data=d&channel=a%20b", 400),
            ("name=pusher:x&data=d&channel=a", 400), ("name=n&data=d&channel=a&socket_id=x", 400),
            ("name=n&channel=a&data=\(String(repeating: "x", count: 10_241))", 413),
            ("name=n&data=d" + String(repeating: "&channels[]=a", count: 101), 400),
            ("name=n&data=d" + String(repeating: "&channels[]=a", count: 100), nil),
            ("name=n&data=&channel=a", nil),
        ] as [(String, Int?)])
    func refusedQuery(_ vector: (query: String, status: Int?)) throws {
        #expect(try self.status("", query: vector.query) == vector.status)
        #expect(try self.status("{}", query: vector.query) == vector.status)
    }

    @Test("8.1: a body that is no object is refused whatever the query says")
    func queryBesideBrokenBody() throws {
        for body in ["{", "[]", "null", " "] {
            #expect(try self.status(body, query: "name=n&data=d&channel=a") == 400)
        }
    }

    @Test("8.11: the body of the deprecated trigger is the data, whatever it is; the rest stands in the query")
    func deprecated() throws {
        let request = try self.decode(raw: #"{"id":42}"#, query: "name=n&socket_id=81723.4410982&info=user_count")
        #expect(String(decoding: request.name, as: UTF8.self) == #""n""#)
        #expect(String(decoding: request.data, as: UTF8.self) == #""{\"id\":42}""#)
        #expect(request.channels.map(\.text) == ["orders"])
        #expect(request.excluded == SocketID(first: 81723, second: 4_410_982))
        #expect(request.info.isEmpty)
        #expect(try self.decode(raw: "", query: "name=n").data == Array(#""""#.utf8))
        #expect(try self.decode(raw: String(repeating: "é", count: 5120), query: "name=n").excluded == nil)
    }

    @Test(
        "8.11: the deprecated trigger has the limits of the other",
        arguments: [
            ("d", "", 400), ("d", "name=", 400), ("d", "name=pusher:x", 400), ("d", "name=n&socket_id=x", 400),
            ("d", "name=" + String(repeating: "n", count: 201), 400),
            (String(repeating: "é", count: 5120) + "x", "name=n", 413),
        ])
    func refusedDeprecated(_ vector: (body: String, query: String, status: Int)) {
        let rejection = #expect(throws: RequestRejection.self) {
            try self.decode(raw: vector.body, query: vector.query)
        }
        #expect(rejection?.status == vector.status)
    }

    @Test(
        "8.2: the texts of refusals begin as the hosted service's",
        arguments: [
            ("{}", "Expected name parameter to be a string"), ("", "Expected name parameter to be a string"),
            (#"{"name":"n","channel":"a b","data":""}"#, "Invalid channel name"),
            (
                #"{"name":"n","channel":"a","data":"\#(String(repeating: "x", count: 10_241))"}"#,
                "The data content of this event exceeds the allowed maximum (10240 bytes). "
            ),
        ])
    func texts(_ vector: (body: String, text: String)) throws {
        #expect(try self.rejection(vector.body)?.message.hasPrefix(vector.text) == true)
    }

    @Test("P137: a batch of 10 is accepted in order, one of 11 is refused")
    func batchSize() throws {
        func batch(_ count: Int) -> String {
            let events = (0..<count).map { #"{"name":"n\#($0)","channel":"a","data":""}"# }
            return #"{"batch":[\#(events.joined(separator: ","))]}"#
        }
        let names = try self.decodeBatch(batch(10)).map { String(decoding: $0.name, as: UTF8.self) }
        #expect(names == (0..<10).map { "\"n\($0)\"" })
        #expect(try self.decodeBatch(batch(0)).isEmpty)
        let rejection = #expect(throws: RequestRejection.self) { try self.decodeBatch(batch(11)) }
        #expect(rejection?.status == 400)
    }

    @Test(
        "P137: a batch with one bad event is refused whole, and the answer names the event",
        arguments: [
            (#"{"name":"n","channel":"a b","data":""}"#, 400), (#"{"name":"n","channels":["a"],"data":""}"#, 400),
            ("17", 400), ("{}", 400),
            (#"{"name":"n","channel":"a","data":"\#(String(repeating: "x", count: 10_241))"}"#, 413),
        ])
    func badBatch(_ vector: (event: String, status: Int)) {
        let good = #"{"name":"n","channel":"a","data":""}"#
        let rejection = #expect(throws: RequestRejection.self) {
            try self.decodeBatch(#"{"batch":[\#(good),\#(vector.event),\#(good)]}"#)
        }
        #expect(rejection?.status == vector.status)
        #expect(rejection?.message.hasPrefix("batch[1]: ") == true)
    }

    @Test(
        "P137: a batch that is not a list is refused",
        arguments: ["{}", #"{"batch":{}}"#, #"{"batch":null}"#, "[]", ""])
    func notABatch(_ body: String) {
        let rejection = #expect(throws: RequestRejection.self) { try self.decodeBatch(body) }
        #expect(rejection?.status == 400)
    }
}
