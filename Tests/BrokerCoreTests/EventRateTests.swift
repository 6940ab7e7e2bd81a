import BrokerCore
import Testing

@Suite struct EventRateTests {
    private static let second: UInt64 = 1_000_000_000

    @Test("A second's worth passes at once, and then the rate; a refusal says how long to wait")
    func rate() {
        var rate = EventRate()
        let start = 5 * Self.second
        for _ in 0..<10 { #expect(rate.admit(1, limit: 10, now: start) == nil) }
        #expect(rate.admit(1, limit: 10, now: start) == Self.second / 10)
        #expect(rate.admit(3, limit: 10, now: start) == 3 * Self.second / 10)
        #expect(rate.admit(1, limit: 10, now: start + Self.second / 10) == nil)
        #expect(rate.admit(1, limit: 10, now: start + Self.second / 10) == Self.second / 10)
        // A quiet second fills it, and no more than that.
        for _ in 0..<10 { #expect(rate.admit(1, limit: 10, now: start + 60 * Self.second) == nil) }
        #expect(rate.admit(1, limit: 10, now: start + 60 * Self.second) != nil)
    }

    @Test("Another limit begins anew: no debt of the old one is left")
    func changedLimit() {
        var rate = EventRate()
        #expect(rate.admit(1000, limit: 1, now: 0) == nil)
        #expect(rate.admit(1, limit: 1, now: 2 * Self.second) != nil)
        #expect(rate.admit(1, limit: 1000, now: 2 * Self.second) == nil)
    }

    @Test("A batch that is larger than the rate passes after a quiet time, and is paid for afterwards")
    func largeBatch() {
        var rate = EventRate()
        #expect(rate.admit(10, limit: 4, now: 0) == nil)
        #expect(rate.admit(1, limit: 4, now: 0) == 7 * Self.second / 4)
        #expect(rate.admit(1, limit: 4, now: 7 * Self.second / 4) == nil)
    }
}
