import BrokerCore
import PusherProtocol
import PusherPublisher
import Support

/// One subscription to a ticket's channel.
final class SimulatedSubscriber {
    let socketID: String
    let ticket: Int64
    let loop: Int
    /// The number that `ChannelTable` gave it.
    let joinedAt: UInt64
    /// Its loop knows of it: the client has its confirmation.
    var isConfirmed = false
    /// Events that were accepted while it stood in the table, in order.
    var owed: [String] = []
    var received: [String] = []

    init(socketID: String, ticket: Int64, loop: Int, joinedAt: UInt64) {
        self.socketID = socketID
        self.ticket = ticket
        self.loop = loop
        self.joinedAt = joinedAt
    }
}

/// A broker made of the real `ChannelTable` and of loops with inboxes, as `Broker` has them.
struct SimulatedBroker {
    private struct Loop {
        var inbox: [(ticket: Int64, sequence: UInt64, data: String, excluded: String?)] = []
        var subscribers: [SimulatedSubscriber] = []
        /// It has joined in the table; the loop does nothing else before it knows of it.
        var joining: SimulatedSubscriber?
    }

    private static let loops = 3

    private static let application = Application(
        credentials: AppCredentials(id: "1", key: "k", secret: AppSecret("secret-of-an-app")))

    private var table = ChannelTable(loops: SimulatedBroker.loops, shards: 1)
    private var loops = Array(repeating: Loop(), count: SimulatedBroker.loops)
    private var sockets = 0
    private(set) var complaints: [String] = []

    var standing: [SimulatedSubscriber] { self.loops.flatMap(\.subscribers) }

    mutating func join(_ ticket: Int64, using random: inout SeededGenerator) {
        let loop = Int.random(in: 0..<Self.loops, using: &random)
        self.confirm(loop)
        let outcome = self.table.join(
            Self.channel(ticket), loop: loop, member: nil, application: Self.application, now: 0)
        guard case .joined(let join) = outcome else { return }
        self.sockets += 1
        self.loops[loop].joining = SimulatedSubscriber(
            socketID: "1.\(self.sockets)", ticket: ticket, loop: loop, joinedAt: join.sequence)
    }

    /// The second half of a `join`.
    mutating func confirm(_ loop: Int) {
        guard let subscriber = self.loops[loop].joining else { return }
        subscriber.isConfirmed = true
        self.loops[loop].subscribers.append(subscriber)
        self.loops[loop].joining = nil
    }

    /// Ends those for whom `isMeant` holds, also those that wait for their confirmation.
    mutating func end(where isMeant: (SimulatedSubscriber) -> Bool) {
        for loop in self.loops.indices {
            self.confirm(loop)
            for subscriber in self.loops[loop].subscribers where isMeant(subscriber) {
                _ = self.table.leave(
                    Self.channel(subscriber.ticket), loop: loop, userID: nil, application: Self.application, now: 0)
                self.check(subscriber)
            }
            self.loops[loop].subscribers.removeAll(where: isMeant)
        }
    }

    mutating func publish(_ data: String, to ticket: Int64, excluding socketID: String?) {
        guard let delivery = self.table.publish(Self.channel(ticket)) else { return }
        for loop in delivery.audience {
            self.loops[loop].inbox.append((ticket, delivery.sequence, data, socketID))
        }
        for loop in self.loops {
            for subscriber in loop.subscribers + [loop.joining].compactMap({ $0 })
            where subscriber.ticket == ticket && subscriber.socketID != socketID {
                subscriber.owed.append(data)
            }
        }
    }

    /// Every loop hands out what it has.
    mutating func deliver() {
        for loop in self.loops.indices {
            self.confirm(loop)
            for (ticket, sequence, data, excluded) in self.loops[loop].inbox {
                for subscriber in self.loops[loop].subscribers
                where subscriber.ticket == ticket && subscriber.joinedAt < sequence && subscriber.socketID != excluded {
                    if !subscriber.isConfirmed { self.complaints.append("\(data) came before the confirmation") }
                    subscriber.received.append(data)
                }
            }
            self.loops[loop].inbox = []
        }
    }

    /// All who stand have received what they were owed, after a `deliver`.
    mutating func checkAll() {
        for subscriber in self.standing where subscriber.received != subscriber.owed {
            self.complaints.append("\(subscriber.received) received, \(subscriber.owed) owed")
        }
    }

    /// Who ends has received the beginning of what was owed, and nothing else.
    private mutating func check(_ subscriber: SimulatedSubscriber) {
        if !subscriber.owed.starts(with: subscriber.received) {
            self.complaints.append("\(subscriber.received) received, the beginning of \(subscriber.owed) owed")
        }
    }

    private static func channel(_ ticket: Int64) -> ChannelName {
        guard let channel = ChannelName("private-chat.\(ticket)", limit: 164) else {
            preconditionFailure("a ticket's channel is a channel")
        }
        return channel
    }
}
