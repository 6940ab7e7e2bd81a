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

    @Test("P147: users are listed with their ids as strings")
    func users() {
        #expect(self.text(ChannelInfo.users(["u-17", "a\"b"])) == #"{"users":[{"id":"u-17"},{"id":"a\"b"}]}"#)
        #expect(self.text(ChannelInfo.users([])) == #"{"users":[]}"#)
    }
}
