import PusherProtocol
import Testing

@Suite struct ChannelInfoTests {
    private func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

    private func channel(_ name: String) throws -> ChannelName { try #require(ChannelName(name, limit: 164)) }

    @Test("P136: a channel has the attributes that were asked for and that apply to it")
    func channels() throws {
        let channels = [
            (try self.channel("presence-ops"), ChannelOccupancy(subscriptions: 3, users: 2)),
            (try self.channel("orders"), ChannelOccupancy(subscriptions: 13, users: nil)),
        ]
        #expect(
            self.text(ChannelInfo.channels(channels, info: [.userCount, .subscriptionCount]))
                == #"{"channels":{"presence-ops":{"user_count":2,"subscription_count":3},"orders":{"subscription_count":13}}}"#
        )
        #expect(
            self.text(ChannelInfo.channels(channels, info: .userCount))
                == #"{"channels":{"presence-ops":{"user_count":2},"orders":{}}}"#)
    }

    @Test("P141: no channels are an empty object, never a list")
    func noChannels() {
        #expect(self.text(ChannelInfo.channels([], info: [])) == #"{"channels":{}}"#)
    }

    @Test("P138: a batch is answered with one object an event")
    func batch() {
        #expect(
            self.text(ChannelInfo.batch([Array("{}".utf8), Array(#"{"a":1}"#.utf8)])) == #"{"batch":[{},{"a":1}]}"#)
    }

    @Test("P144: a channel says whether it is occupied")
    func occupied() throws {
        let empty = ChannelOccupancy.empty(try self.channel("orders"))
        #expect(self.text(ChannelInfo.attributes([], of: empty, occupied: false)) == #"{"occupied":false}"#)
        #expect(
            self.text(ChannelInfo.attributes(.subscriptionCount, of: empty, occupied: false))
                == #"{"occupied":false,"subscription_count":0}"#)
        let presence = ChannelOccupancy.empty(try self.channel("presence-ops"))
        #expect(
            self.text(ChannelInfo.attributes(.userCount, of: presence, occupied: false))
                == #"{"occupied":false,"user_count":0}"#)
    }

    @Test("P146: the last event of a cache channel is told with its data and time to live, or as null")
    func cache() throws {
        let empty = ChannelOccupancy.empty(try self.channel("cache-orders"))
        #expect(
            self.text(ChannelInfo.attributes(.cache, of: empty, occupied: false))
                == #"{"occupied":false,"cache":null}"#)
        let cached = CachedData(data: Array(#""{\"id\":42}""#.utf8), ttl: 1712)
        #expect(
            self.text(
                ChannelInfo.attributes([.subscriptionCount, .cache], of: empty, occupied: true, cached: cached))
                == #"{"occupied":true,"subscription_count":0,"cache":{"data":"{\"id\":42}","ttl":1712}}"#)
    }

    @Test("8.11: the deprecated counts, with users for presence channels only")
    func stats() {
        #expect(
            self.text(ChannelInfo.stats(of: ChannelOccupancy(subscriptions: 3, users: 2), occupied: true))
                == #"{"occupied":true,"user_count":2,"connection_count":3}"#)
        #expect(
            self.text(ChannelInfo.stats(of: ChannelOccupancy(subscriptions: 0, users: nil), occupied: false))
                == #"{"occupied":false,"connection_count":0}"#)
    }

    @Test(
        "P136: an attribute that is not defined is refused by its name in a query, and left out of a publication",
        arguments: [
            ("user_count,cache", [.userCount], "cache"), ("", [], nil), (",", [], nil),
            ("subscription_count,user_count", [.userCount, .subscriptionCount], nil),
            ("user_count, user_count", [.userCount], " user_count"), ("a\"\n", [], #"a\"\n"#),
        ] as [(String, ChannelAttributes, String?)])
    func attributes(_ vector: (list: String, kept: ChannelAttributes, refused: String?)) throws {
        let defined: ChannelAttributes = [.userCount, .subscriptionCount]
        #expect(ChannelAttributes(vector.list, keeping: defined) == vector.kept)
        if let refused = vector.refused {
            let rejection = #expect(throws: RequestRejection.self) {
                try ChannelAttributes(vector.list, allowing: defined)
            }
            #expect(rejection?.status == 400 && rejection?.message.contains("\"\(refused)\"") == true)
        } else {
            #expect(try ChannelAttributes(vector.list, allowing: defined) == vector.kept)
        }
    }

    @Test("P147: users are listed with their ids as strings")
    func users() {
        #expect(self.text(ChannelInfo.users(["u-17", "a\"b"])) == #"{"users":[{"id":"u-17"},{"id":"a\"b"}]}"#)
        #expect(self.text(ChannelInfo.users([])) == #"{"users":[]}"#)
    }
}
