import BrokerCore
import PusherProtocol
import Testing

@Suite struct PresenceRosterTests {
    private func member(_ userID: String, info: String = "null") -> PresenceMember {
        PresenceMember(userID: userID, userInfo: Array(info.utf8))
    }

    @Test("P61, P64: a user's first connection is new to the others")
    func firstConnection() {
        var roster = PresenceRoster()
        #expect(roster.join(self.member("a"), limit: 100) == .isNew)
        #expect(roster.join(self.member("b"), limit: 100) == .isNew)
        #expect(roster.members.map(\.userID) == ["a", "b"])
    }

    @Test("P66: a user's second connection is not announced, and the first one's info stays")
    func secondConnection() {
        var roster = PresenceRoster()
        #expect(roster.join(self.member("a", info: "1"), limit: 100) == .isNew)
        #expect(roster.join(self.member("a", info: "2"), limit: 100) == .isKnown)
        #expect(roster.count == 1)
        #expect(roster.members == [self.member("a", info: "1")])
    }

    @Test("P67, P68: only the last connection of a user takes the user away")
    func lastConnection() {
        var roster = PresenceRoster()
        for _ in 0..<3 { _ = roster.join(self.member("a"), limit: 100) }
        #expect(roster.leave("a") == false)
        #expect(roster.leave("a") == false)
        #expect(roster.leave("a") == true)
        #expect(roster.count == 0)
        #expect(roster.leave("a") == false)
    }

    @Test("P66: whoever comes back is new again, with new info and at the end of the list")
    func comesBack() {
        var roster = PresenceRoster()
        _ = roster.join(self.member("a", info: "1"), limit: 100)
        _ = roster.join(self.member("b"), limit: 100)
        #expect(roster.leave("a") == true)
        #expect(roster.join(self.member("a", info: "2"), limit: 100) == .isNew)
        #expect(roster.members == [self.member("b"), self.member("a", info: "2")])
    }

    @Test("P77: a full channel takes no other user, but more connections of its members")
    func full() {
        var roster = PresenceRoster()
        for index in 0..<100 { #expect(roster.join(self.member("u\(index)"), limit: 100) == .isNew) }
        #expect(roster.join(self.member("u100"), limit: 100) == .full)
        #expect(roster.join(self.member("u99"), limit: 100) == .isKnown)
        #expect(roster.count == 100)
        #expect(roster.leave("u100") == false)
        #expect(roster.leave("u0") == true)
        #expect(roster.join(self.member("u100"), limit: 100) == .isNew)
    }

    @Test("P71: ids that differ in their bytes are different users, as they are to every client")
    func bytes() {
        var roster = PresenceRoster()
        #expect(roster.join(self.member("\u{E9}"), limit: 100) == .isNew)
        #expect(roster.join(self.member("e\u{301}"), limit: 100) == .isNew)
        #expect(roster.count == 2)
        #expect(roster.leave("\u{E9}") == true)
        #expect(roster.members.map { Array($0.userID.utf8) } == [Array("e\u{301}".utf8)])
    }
}
