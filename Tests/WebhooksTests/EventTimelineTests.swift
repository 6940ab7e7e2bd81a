import PusherProtocol
import Support
import Testing

@testable import Webhooks

@Suite struct EventTimelineTests {
    private let start = ContinuousClock.now
    private let ops: ChannelName
    private let staff: ChannelName

    init() throws {
        self.ops = try channel("presence-ops")
        self.staff = try channel("presence-staff")
    }

    /// What is told when events come at these times, in milliseconds, and the clock then goes on to `end`.
    private func told(
        _ events: [(Int, WebhookEvent)], until end: Int = 100_000, capacity: Int = 1000
    ) -> [WebhookEvent] {
        var timeline = EventTimeline(delay: .seconds(3), capacity: capacity)
        var told: [WebhookEvent] = []
        for (time, event) in events {
            timeline.happened(event, now: self.start + .milliseconds(time), told: &told)
        }
        timeline.release(now: self.start + .milliseconds(end), told: &told)
        return told
    }

    @Test("P151: channel_occupied is told at once")
    func occupied() {
        #expect(self.told([(0, .channelOccupied(self.ops))], until: 0) == [.channelOccupied(self.ops)])
    }

    @Test("P152, WH-20: channel_vacated is told after three seconds and not before")
    func vacated() {
        let events = [(0, WebhookEvent.channelOccupied(self.ops)), (10, .channelVacated(self.ops))]
        #expect(self.told(events, until: 3009) == [.channelOccupied(self.ops)])
        #expect(self.told(events, until: 3010) == [.channelOccupied(self.ops), .channelVacated(self.ops)])
    }

    @Test("P152, WH-21: leaving and returning within the delay tells neither")
    func returned() {
        #expect(self.told([(0, .channelVacated(self.ops)), (2999, .channelOccupied(self.ops))]).isEmpty)
        #expect(
            self.told([(0, .channelVacated(self.ops)), (3000, .channelOccupied(self.ops))])
                == [.channelVacated(self.ops), .channelOccupied(self.ops)])
    }

    @Test("P153, WH-21: a member who returns within the delay makes no noise; another who comes is told")
    func memberReturned() {
        let events: [(Int, WebhookEvent)] = [
            (0, .memberRemoved(self.ops, userID: "a")), (1, .memberRemoved(self.ops, userID: "b")),
            (2, .memberAdded(self.ops, userID: "c")), (3, .memberAdded(self.ops, userID: "a")),
            (4, .memberAdded(self.staff, userID: "b")),
        ]
        #expect(
            self.told(events) == [
                .memberAdded(self.ops, userID: "c"), .memberAdded(self.staff, userID: "b"),
                .memberRemoved(self.ops, userID: "b"),
            ])
    }

    @Test("WH-21: each absence has its own three seconds")
    func anew() {
        let events: [(Int, WebhookEvent)] = [
            (0, .channelVacated(self.ops)), (1000, .channelOccupied(self.ops)), (2000, .channelVacated(self.ops)),
        ]
        #expect(self.told(events, until: 4999).isEmpty)
        #expect(self.told(events, until: 5000) == [.channelVacated(self.ops)])
    }

    @Test("WH-22: what was held back is told in its order, a member's removal before its channel's end")
    func order() {
        let events: [WebhookEvent] = [
            .memberRemoved(self.ops, userID: "a"), .channelVacated(self.ops),
            .memberRemoved(self.staff, userID: "a"), .channelVacated(self.staff),
        ]
        #expect(self.told(events.map { (0, $0) }) == events)
        var timeline = EventTimeline(delay: .seconds(3), capacity: 1000)
        var told: [WebhookEvent] = []
        for event in events { timeline.happened(event, now: self.start, told: &told) }
        #expect(told.isEmpty)
        timeline.releaseAll(told: &told)
        #expect(told == events)
        #expect(timeline.nextDue == nil)
    }

    @Test("P155, WH-23: client events, cache misses and counts pass what is held back")
    func passing() {
        let event = WebhookEvent.clientEvent(
            self.ops, .init(name: "client-x", data: [], sender: SocketID(first: 1, second: 2), userID: nil))
        let events: [(Int, WebhookEvent)] = [
            (0, .memberRemoved(self.ops, userID: "a")), (1, event), (2, .cacheMiss(self.ops)),
            (3, .subscriptionCount(self.staff, 4)),
        ]
        #expect(self.told(events, until: 10) == [event, .cacheMiss(self.ops), .subscriptionCount(self.staff, 4)])
    }

    @Test("WH-24: beyond the bound the oldest are told early; a return is then told, too")
    func bounded() throws {
        let channels = try (0..<4).map { try channel("c\($0)") }
        let events = channels.map { (0, WebhookEvent.channelVacated($0)) } + [(1, .channelOccupied(channels[0]))]
        #expect(
            self.told(events, until: 1, capacity: 3) == [.channelVacated(channels[0]), .channelOccupied(channels[0])])
    }

    @Test("WH-24: coming and going without end keeps no more than what is held back")
    func noGrowth() {
        var timeline = EventTimeline(delay: .seconds(3), capacity: 1000)
        var told: [WebhookEvent] = []
        for _ in 0..<10_000 {
            timeline.happened(.channelVacated(self.ops), now: self.start, told: &told)
            timeline.happened(.channelOccupied(self.ops), now: self.start, told: &told)
        }
        #expect(told.isEmpty && timeline.count <= 65)
    }

    @Test(
        "P151, P152, P153: whatever comes and goes, a receiver's picture is sound, and true in the end",
        arguments: 0..<30)
    func simulation(_ seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        var timeline = EventTimeline(delay: .milliseconds(30), capacity: random.once(in: 3) ? 4 : 1000)
        let channels = try (0..<4).map { try channel("presence-\($0)") }
        var sockets: [ChannelName: [String: Int]] = [:]
        var picture = Picture()
        var told: [WebhookEvent] = []
        var now = self.start
        for _ in 0..<1500 {
            now += .milliseconds(Int.random(in: 0...12, using: &random))
            let channel = try #require(channels.randomElement(using: &random))
            let user = String(Int.random(in: 0..<5, using: &random))
            var events: [WebhookEvent] = []
            let count = sockets[channel]?[user] ?? 0
            if Bool.random(using: &random) {
                if sockets[channel, default: [:]].isEmpty { events.append(.channelOccupied(channel)) }
                if count == 0 { events.append(.memberAdded(channel, userID: user)) }
                sockets[channel, default: [:]][user] = count + 1
            } else if count > 0 {
                sockets[channel]?[user] = count == 1 ? nil : count - 1
                if count == 1 { events.append(.memberRemoved(channel, userID: user)) }
                if sockets[channel]?.isEmpty ?? true { events.append(.channelVacated(channel)) }
            }
            for event in events { timeline.happened(event, now: now, told: &told) }
            if random.once(in: 4) { timeline.release(now: now, told: &told) }
            for event in told { try picture.hear(event) }
            told = []
        }
        timeline.release(now: now + .milliseconds(30), told: &told)
        for event in told { try picture.hear(event) }
        #expect(picture.members == sockets.mapValues { Set($0.keys) }.filter { !$0.value.isEmpty })
        #expect(picture.occupied == Set(picture.members.keys))
    }

    /// What a receiver knows that believes what it is told.
    private struct Picture {
        var occupied: Set<ChannelName> = []
        var members: [ChannelName: Set<String>] = [:]

        mutating func hear(_ event: WebhookEvent) throws {
            switch event {
            case .channelOccupied(let channel): try #require(self.occupied.insert(channel).inserted)
            case .channelVacated(let channel):
                try #require(self.occupied.remove(channel) != nil)
                try #require(self.members[channel] == nil, "it is empty, but somebody is in it")
            case .memberAdded(let channel, let user):
                try #require(self.members[channel, default: []].insert(user).inserted)
            case .memberRemoved(let channel, let user):
                try #require(self.members[channel]?.remove(user) != nil)
                if self.members[channel]?.isEmpty ?? false { self.members[channel] = nil }
            case .clientEvent, .cacheMiss, .subscriptionCount: break
            }
        }
    }
}
