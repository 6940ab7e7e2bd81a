import BrokerCore
import PusherProtocol
import Support
import Testing

/// What a subscriber can be told.
private enum Message: Equatable {
    case event(Int)
    case added(String)
    case removed(String)
}

/// One subscription, from its confirmation to the moment its loop forgets it.
private final class SimulatedSubscription {
    let connection: Int
    let loop: Int
    let channel: ChannelName
    let userID: String?
    /// The number that `ChannelTable` gave it.
    let joinedAt: UInt64
    var received: [Message] = []
    /// What it must receive, with the time at which that was said.
    var owed: [(time: Int, message: Message)] = []
    /// When its loop last emptied its inbox before forgetting the subscription; nil while it stands.
    var endedAt: Int?

    init(connection: Int, loop: Int, channel: ChannelName, userID: String?, joinedAt: UInt64) {
        self.connection = connection
        self.loop = loop
        self.channel = channel
        self.userID = userID
        self.joinedAt = joinedAt
    }
}

/// Several event loops around one `ChannelTable`, as the broker runs them, beside a model that knows no loops.
///
/// A loop does one thing at a time, but the others go on between its steps: between the table's answer to a `join` and
/// the subscription's entry in the loop's index, and between its removal from that index and the table's `leave`.
/// What is owed to a loop waits in its inbox until the loop empties it.
///
/// The model is a list of the subscriptions that stand in the table. To say something is to note it as owed to each of
/// them. In the end (and this is all that the table and `joinedAt < sequence` promise):
/// - a subscription that still stands has received exactly what it was owed, in that order;
/// - one that was ended has received exactly what it was owed up to the last time its loop emptied its inbox before.
/// So nothing that was said before the confirmation arrives, nothing after the end, nothing twice, nothing out of order;
/// and as the model owes a member's coming and going once a user, and never to the user's own new connection, so does
/// the table.
private struct ChannelSimulation {
    private struct Delivery {
        let channel: ChannelName
        let sequence: UInt64
        let message: Message
        let excluded: Int?
    }

    private struct Loop {
        var inbox: [Delivery] = []
        var subscribers: [SimulatedSubscription] = []
        /// The second half of what the loop is doing.
        var unfinished: Unfinished?
        var emptiedAt = 0
    }

    private enum Unfinished {
        case enter(SimulatedSubscription)
        case leave(SimulatedSubscription)
    }

    private static let memberLimit = 3

    private var random: SeededGenerator
    private var table: ChannelTable
    private var loops: [Loop]
    private let channels: [ChannelName]
    private var time = 0
    private var events = 0
    /// What stands in the table, oldest first.
    private var standing: [SimulatedSubscription] = []
    /// The users of each channel in the order they came.
    private var users: [ChannelName: [String]] = [:]
    private var all: [SimulatedSubscription] = []
    private(set) var complaints: [String] = []

    init(seed: UInt64) {
        self.random = SeededGenerator(seed: seed)
        let loops = Int.random(in: 1...4, using: &self.random)
        self.table = ChannelTable(loops: loops)
        self.loops = Array(repeating: Loop(), count: loops)
        self.channels = ["orders", "private-ops", "presence-a", "presence-b"].compactMap { ChannelName($0, limit: 164) }
    }

    /// Twelve connections, spread over the loops; connection *n* is user *n* / 2, so users have two.
    private static let connections = 12

    mutating func run(steps: Int) {
        for _ in 0..<steps { self.step() }
        for loop in self.loops.indices { self.finish(loop) }
        for loop in self.loops.indices { self.empty(loop) }
        for subscription in self.all {
            let end = subscription.endedAt ?? .max
            let owed = subscription.owed.filter { $0.time <= end }.map(\.message)
            self.check(subscription.received == owed, "\(subscription.received) received, \(owed) owed")
        }
        self.check(self.all.contains { !$0.received.isEmpty }, "nothing happened")
    }

    private mutating func step() {
        self.time += 1
        let loop = Int.random(in: 0..<self.loops.count, using: &self.random)
        guard self.loops[loop].unfinished == nil else {
            self.finish(loop)
            return
        }
        let channel = self.channels[Int.random(in: 0..<self.channels.count, using: &self.random)]
        switch Int.random(in: 0..<10, using: &self.random) {
        case 0..<3: self.join(channel, loop: loop)
        case 3..<5: self.leave(loop: loop)
        case 5..<9: self.publish(channel)
        default: self.empty(loop)
        }
        if self.random.once(in: 2) { self.finish(loop) }
        self.compare(channel)
    }

    private mutating func check(_ isRight: Bool, _ complaint: @autoclosure () -> String) {
        if !isRight { self.complaints.append("at \(self.time): \(complaint())") }
    }

    // MARK: What loops do

    private mutating func join(_ channel: ChannelName, loop: Int) {
        let candidates = (0..<Self.connections).filter { connection in
            connection % self.loops.count == loop
                && !self.loops[loop].subscribers.contains { $0.connection == connection && $0.channel == channel }
        }
        guard let connection = candidates.randomElement(using: &self.random) else { return }
        let userID = channel.kind == .presence ? "u\(connection / 2)" : nil
        let member = userID.map { PresenceMember(userID: $0, userInfo: Array("null".utf8)) }
        let outcome = self.table.join(channel, loop: loop, member: member, memberLimit: Self.memberLimit)

        let others = self.standing.filter { $0.channel == channel }
        let users = self.users[channel, default: []]
        let isNew = userID.map { !users.contains($0) } ?? false
        guard case .joined(let join) = outcome else {
            self.check(isNew && users.count >= Self.memberLimit, "refused with \(users)")
            return
        }
        self.check(!isNew || users.count < Self.memberLimit, "admitted beside \(users)")
        self.check(join.isFirst == others.isEmpty, "first beside \(others.count)")
        self.check(
            join.members.map(\.userID) == (isNew ? users + [userID ?? ""] : users), "confirmed with \(join.members)")
        self.check((join.announce != nil) == isNew, "announcement \(join.announce as Any)")
        if let announce = join.announce, let userID {
            self.check(Set(announce.audience) == Set(others.map(\.loop)), "announced to \(Array(announce.audience))")
            self.put(announce, channel, .added(userID), excluded: nil)
            for other in others { other.owed.append((self.time, .added(userID))) }
        }
        let subscription = SimulatedSubscription(
            connection: connection, loop: loop, channel: channel, userID: userID, joinedAt: join.sequence)
        self.standing.append(subscription)
        if isNew, let userID { self.users[channel, default: []].append(userID) }
        self.all.append(subscription)
        self.loops[loop].unfinished = .enter(subscription)
    }

    private mutating func leave(loop: Int) {
        guard !self.loops[loop].subscribers.isEmpty else { return }
        let index = Int.random(in: 0..<self.loops[loop].subscribers.count, using: &self.random)
        let subscription = self.loops[loop].subscribers.remove(at: index)
        subscription.endedAt = self.loops[loop].emptiedAt
        self.loops[loop].unfinished = .leave(subscription)
    }

    private mutating func finish(_ loop: Int) {
        switch self.loops[loop].unfinished {
        case nil: return
        case .enter(let subscription): self.loops[loop].subscribers.append(subscription)
        case .leave(let subscription):
            self.time += 1
            let departure = self.table.leave(subscription.channel, loop: loop, userID: subscription.userID)
            let removal = departure.announce
            self.standing.removeAll { $0 === subscription }
            let others = self.standing.filter { $0.channel == subscription.channel }
            let isLast = subscription.userID.map { userID in !others.contains { $0.userID == userID } } ?? false
            if isLast { self.users[subscription.channel]?.removeAll { $0 == subscription.userID } }
            self.check(departure.isLast == others.isEmpty, "last beside \(others.count)")
            self.check((removal != nil) == isLast, "removal \(removal as Any)")
            if let removal, let userID = subscription.userID {
                self.check(Set(removal.audience) == Set(others.map(\.loop)), "removal to \(Array(removal.audience))")
                self.put(removal, subscription.channel, .removed(userID), excluded: nil)
                for other in others { other.owed.append((self.time, .removed(userID))) }
            }
        }
        self.loops[loop].unfinished = nil
    }

    private mutating func publish(_ channel: ChannelName) {
        self.events += 1
        let excluded = self.random.once(in: 3) ? Int.random(in: 0..<Self.connections, using: &self.random) : nil
        let audience = self.standing.filter { $0.channel == channel }
        let delivery = self.table.publish(channel)
        self.check(Set(delivery?.audience ?? LoopSet()) == Set(audience.map(\.loop)), "published to \(delivery as Any)")
        guard let delivery else { return }
        self.put(delivery, channel, .event(self.events), excluded: excluded)
        for subscription in audience where subscription.connection != excluded {
            subscription.owed.append((self.time, .event(self.events)))
        }
    }

    private mutating func put(
        _ delivery: ChannelTable.Delivery, _ channel: ChannelName, _ message: Message, excluded: Int?
    ) {
        for loop in delivery.audience {
            self.loops[loop].inbox.append(
                Delivery(channel: channel, sequence: delivery.sequence, message: message, excluded: excluded))
        }
    }

    private mutating func empty(_ loop: Int) {
        for delivery in self.loops[loop].inbox {
            for subscription in self.loops[loop].subscribers
            where subscription.channel == delivery.channel && subscription.joinedAt < delivery.sequence
                && subscription.connection != delivery.excluded
            {
                subscription.received.append(delivery.message)
            }
        }
        self.loops[loop].inbox = []
        self.loops[loop].emptiedAt = self.time
    }

    // MARK: What the model knows

    private mutating func compare(_ channel: ChannelName) {
        let count = self.standing.count { $0.channel == channel }
        let users = self.users[channel, default: []]
        let expected =
            count == 0
            ? nil : ChannelOccupancy(subscriptions: count, users: channel.kind == .presence ? users.count : nil)
        self.check(self.table.occupancy(of: channel) == expected, "occupancy of \(channel)")
        self.check(self.table.members(of: channel).map(\.userID) == users, "members of \(channel)")
        let occupied = Set(self.table.occupied(prefix: "").map(\.channel))
        self.check(occupied == Set(self.standing.map(\.channel)), "occupied \(occupied)")
    }
}

@Suite struct ChannelSimulationTests {
    @Test("P45, P64 to P70, P78, P127, P139: no interleaving of loops loses, repeats, reorders or misdirects anything")
    func interleavings() {
        for seed in 0..<300 as Range<UInt64> {
            var simulation = ChannelSimulation(seed: seed)
            simulation.run(steps: 150)
            #expect(simulation.complaints.isEmpty, "seed \(seed)")
        }
    }
}
