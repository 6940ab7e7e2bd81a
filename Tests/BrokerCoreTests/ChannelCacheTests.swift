import BrokerCore
import PusherProtocol
import Support
import Testing

@Suite struct ChannelCacheTests {
    private static let second: UInt64 = 1_000_000_000

    private func channel(_ name: String) throws -> ChannelName {
        try #require(ChannelName(name, limit: 164))
    }

    private func store(
        _ table: inout ChannelTable, _ channel: ChannelName, _ data: String, application: Application = .test(),
        now: UInt64 = 0
    ) {
        table.store(
            name: Array(#""n""#.utf8), data: Array(data.utf8), for: channel, application: application, now: now)
    }

    private func join(
        _ table: inout ChannelTable, _ channel: ChannelName, now: UInt64 = 0
    ) -> ChannelTable.CacheAnswer? {
        let outcome = table.join(
            channel, loop: 0, member: nil, application: .test(webhookEvents: [.cacheMiss]), now: now)
        guard case .joined(let join) = outcome else { return nil }
        return join.cache
    }

    @Test("P110–P113: the last event is kept for 30 minutes and not a nanosecond longer")
    func expiry() throws {
        let channel = try self.channel("cache-a")
        var table = ChannelTable(loops: 1)
        self.store(&table, channel, "1")
        self.store(&table, channel, "2", now: 7)
        let end = 7 + 1800 * Self.second
        #expect(table.cached(channel, now: end - 1)?.data == Array("2".utf8))
        #expect(table.cached(channel, now: end - 1)?.expires == end)
        #expect(table.cached(channel, now: end) == nil)
        guard case .event? = self.join(&table, channel, now: end - 1) else {
            Issue.record("no event")
            return
        }
        #expect(self.join(&table, channel, now: end) == .miss(isNews: true))
    }

    @Test("P155: a miss is news once, until something was cached or the time is over; even if all have left meanwhile")
    func misses() throws {
        let channel = try self.channel("private-cache-a")
        var table = ChannelTable(loops: 1)
        #expect(self.join(&table, channel) == .miss(isNews: true))
        #expect(self.join(&table, channel) == .miss(isNews: false))
        for _ in 0..<2 { _ = table.leave(channel, loop: 0, userID: nil) }
        #expect(self.join(&table, channel, now: 1) == .miss(isNews: false))
        let period = 1800 * Self.second
        #expect(self.join(&table, channel, now: period) == .miss(isNews: true))
        self.store(&table, channel, "1", now: period)
        #expect(self.join(&table, channel, now: 2 * period) == .miss(isNews: true))
    }

    @Test("P48: a channel that only looks like one keeps nothing", arguments: ["my-cache-x", "cacheable", "orders"])
    func notCached(_ name: String) throws {
        var table = ChannelTable(loops: 1)
        #expect(self.join(&table, try self.channel(name)) == nil)
    }

    @Test("6.1: cached bytes are bounded, and what was stored first gives way first")
    func bound() throws {
        let application = Application.test { _, _, limits in limits.cacheBytes = 100_000 }
        var table = ChannelTable(loops: 1)
        let data = String(repeating: "x", count: 1000)
        for number in 0..<500 {
            self.store(&table, try self.channel("cache-\(number)"), data, application: application)
            // One that is stored again and again stays, and does not pile up.
            self.store(&table, try self.channel("cache-live"), data, application: application)
        }
        let kept = try (0..<500).filter { table.cached(try self.channel("cache-\($0)"), now: 1) != nil }
        #expect(kept == Array((500 - kept.count)..<500))
        #expect((60..<99).contains(kept.count))
        #expect(table.cached(try self.channel("cache-live"), now: 1) != nil)
        // One that could never fit beside others is kept alone.
        let big = String(repeating: "x", count: 100_001)
        self.store(&table, try self.channel("cache-big"), big, application: application)
        #expect(table.cached(try self.channel("cache-big"), now: 1) != nil)
        #expect(table.cached(try self.channel("cache-live"), now: 1) == nil)
    }

    @Test("P110, P111: whatever channels strangers invent and find empty, what is cached stays")
    func flush() throws {
        let application = Application.test { _, _, limits in limits.cacheBytes = 100_000 }
        var table = ChannelTable(loops: 1)
        self.store(&table, try self.channel("private-cache-a"), "1", application: application)
        for number in 0..<20_000 {
            let name = try self.channel("cache-\(number)")
            #expect(self.join(&table, name) == .miss(isNews: true))
            _ = table.leave(name, loop: 0, userID: nil)
        }
        #expect(table.cached(try self.channel("private-cache-a"), now: 1) != nil)
    }

    @Test("P155: nobody keeps account of misses that nobody wants to hear of")
    func unwanted() throws {
        var table = ChannelTable(loops: 1)
        for _ in 0..<2 {
            let outcome = table.join(
                try self.channel("cache-a"), loop: 0, member: nil, application: .test(), now: 0)
            guard case .joined(let join) = outcome else { return }
            #expect(join.cache == .miss(isNews: false))
        }
        #expect(self.join(&table, try self.channel("cache-a")) == .miss(isNews: true))
    }

    @Test("6.1: the cache agrees with a plain model over random stores, misses and times")
    func model() throws {
        var random = SeededGenerator(seed: 11)
        var table = ChannelTable(loops: 1)
        var model: [String: (data: String, expires: UInt64)] = [:]
        var now: UInt64 = 0
        for step in 0..<20_000 {
            now += UInt64.random(in: 0..<(40 * Self.second), using: &random)
            let name = "cache-\(Int.random(in: 0..<40, using: &random))"
            let channel = try self.channel(name)
            if Bool.random(using: &random) {
                self.store(&table, channel, "\(step)", now: now)
                model[name] = ("\(step)", now + 1800 * Self.second)
            }
            let expected = model[name].flatMap { $0.expires > now ? $0.data : nil }
            #expect(table.cached(channel, now: now).map { String(decoding: $0.data, as: UTF8.self) } == expected)
            switch self.join(&table, channel, now: now) {
            case .event(let event)?: #expect(String(decoding: event.data, as: UTF8.self) == expected)
            case .miss?: #expect(expected == nil)
            case nil: Issue.record("no answer")
            }
        }
    }
}
