import BrokerCore
import PusherProtocol
import Testing

@Suite struct ChannelTableTests {
    private let orders: ChannelName
    private let presence: ChannelName

    init() throws {
        self.orders = try #require(ChannelName("orders", limit: 164))
        self.presence = try #require(ChannelName("presence-ops", limit: 164))
    }

    private func member(_ userID: String) -> PresenceMember {
        PresenceMember(userID: userID, userInfo: Array("null".utf8))
    }

    private func sequence(_ outcome: ChannelTable.JoinOutcome) throws -> UInt64 {
        guard case .joined(let join) = outcome else { throw ProtocolError.presenceFull(0) }
        return join.sequence
    }

    private func loops(_ delivery: ChannelTable.Delivery?) -> [Int]? { delivery.map { Array($0.audience) } }

    @Test("P38: what is published after a subscription has a higher number, and goes to its loop only")
    func publishes() throws {
        var table = ChannelTable(loops: 4)
        #expect(table.publish(self.orders) == nil)
        let joined = try self.sequence(table.join(self.orders, loop: 2, member: nil, memberLimit: 100))
        let published = table.publish(self.orders)
        let delivery = try #require(published)
        #expect(delivery.sequence > joined)
        #expect(self.loops(delivery) == [2])
    }

    @Test("P45: a loop is in the audience as long as one subscription lives there")
    func audience() {
        var table = ChannelTable(loops: 64)
        for loop in [0, 63, 63, 5] { _ = table.join(self.orders, loop: loop, member: nil, memberLimit: 100) }
        #expect(self.loops(table.publish(self.orders)) == [0, 5, 63])
        _ = table.leave(self.orders, loop: 63, userID: nil)
        #expect(self.loops(table.publish(self.orders)) == [0, 5, 63])
        _ = table.leave(self.orders, loop: 63, userID: nil)
        #expect(self.loops(table.publish(self.orders)) == [0, 5])
    }

    @Test("P109: a channel that empties and comes back does not let its old deliveries pass")
    func neverRestarts() throws {
        var table = ChannelTable(loops: 1)
        _ = table.join(self.orders, loop: 0, member: nil, memberLimit: 100)
        let published = table.publish(self.orders)
        let old = try #require(published)
        _ = table.leave(self.orders, loop: 0, userID: nil)
        #expect(table.occupancy(of: self.orders) == nil)
        let again = try self.sequence(table.join(self.orders, loop: 0, member: nil, memberLimit: 100))
        #expect(again > old.sequence)
    }

    @Test("P64, P65, P70: a new member is announced to those who were there, and not to itself")
    func announces() throws {
        var table = ChannelTable(loops: 4)
        guard
            case .joined(let first) =
                table.join(self.presence, loop: 1, member: self.member("a"), memberLimit: 100),
            case .joined(let second) =
                table.join(self.presence, loop: 3, member: self.member("b"), memberLimit: 100)
        else {
            Issue.record("refused")
            return
        }
        #expect(first.isFirst && !second.isFirst)
        #expect(first.members.map(\.userID) == ["a"])
        #expect(self.loops(first.announce) == [])
        #expect(second.members.map(\.userID) == ["a", "b"])
        #expect(self.loops(second.announce) == [1])
        // The number of the announcement is the newcomer's own: it reaches lower ones only.
        #expect(second.announce?.sequence == second.sequence && second.sequence > first.sequence)
        #expect(self.loops(table.leave(self.presence, loop: 3, userID: "b").announce) == [1])
    }

    @Test("P66, P67: a member's second connection comes and goes unannounced")
    func secondConnection() {
        var table = ChannelTable(loops: 2)
        _ = table.join(self.presence, loop: 0, member: self.member("a"), memberLimit: 100)
        guard
            case .joined(let join) =
                table.join(self.presence, loop: 1, member: self.member("a"), memberLimit: 100)
        else {
            Issue.record("refused")
            return
        }
        #expect(join.announce == nil)
        #expect(join.members.map(\.userID) == ["a"])
        #expect(table.occupancy(of: self.presence) == ChannelOccupancy(subscriptions: 2, users: 1))
        #expect(table.leave(self.presence, loop: 0, userID: "a").announce == nil)
        let departure = table.leave(self.presence, loop: 1, userID: "a")
        #expect(departure.isLast)
        #expect(self.loops(departure.announce) == [])
        #expect(table.occupancy(of: self.presence) == nil)
    }

    @Test("P77: who finds the channel full leaves no trace")
    func full() {
        var table = ChannelTable(loops: 2)
        #expect(table.join(self.presence, loop: 0, member: self.member("a"), memberLimit: 0) == .full)
        #expect(table.occupancy(of: self.presence) == nil)
        _ = table.join(self.presence, loop: 0, member: self.member("a"), memberLimit: 1)
        #expect(table.join(self.presence, loop: 1, member: self.member("b"), memberLimit: 1) == .full)
        #expect(table.occupancy(of: self.presence) == ChannelOccupancy(subscriptions: 1, users: 1))
        #expect(self.loops(table.publish(self.presence)) == [0])
    }

    @Test("P46: leaving what was not joined changes nothing")
    func leavesNothing() {
        var table = ChannelTable(loops: 2)
        #expect(table.leave(self.orders, loop: 0, userID: nil) == ChannelTable.Departure())
        #expect(table.occupancy(of: self.orders) == nil)
    }

    @Test("P141, P142: the occupied channels are listed by prefix, with their users")
    func occupied() {
        var table = ChannelTable(loops: 1)
        _ = table.join(self.orders, loop: 0, member: nil, memberLimit: 100)
        for user in ["a", "b", "a"] {
            _ = table.join(self.presence, loop: 0, member: self.member(user), memberLimit: 100)
        }
        #expect(Set(table.occupied(prefix: "").map(\.channel)) == [self.orders, self.presence])
        #expect(table.occupied(prefix: "presence-").map(\.occupancy) == [ChannelOccupancy(subscriptions: 3, users: 2)])
        #expect(table.occupied(prefix: "orders-").isEmpty)
        #expect(table.members(of: self.presence).map(\.userID) == ["a", "b"])
        #expect(table.members(of: self.orders).isEmpty)
    }
}
