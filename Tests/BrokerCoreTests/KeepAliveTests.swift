import BrokerCore
import Testing

@Suite struct KeepAliveTests {
    private let timing = KeepAlive.Timing(activityTimeout: 120, slack: .seconds(5), pongTimeout: .seconds(30))

    private func seconds(_ count: UInt64) -> UInt64 { count * 1_000_000_000 }

    @Test("P29: a silent client is asked after its time and the slack, and not before")
    func asks() {
        var keepAlive = KeepAlive(now: self.seconds(10))
        #expect(keepAlive.check(at: self.seconds(10), timing: self.timing) == .wait(until: self.seconds(135)))
        #expect(keepAlive.check(at: self.seconds(135) - 1, timing: self.timing) == .wait(until: self.seconds(135)))
        #expect(keepAlive.check(at: self.seconds(135), timing: self.timing) == .ping(checkAt: self.seconds(165)))
    }

    @Test("P26: whoever answers nothing is closed with 4201")
    func gives() {
        var keepAlive = KeepAlive(now: 0)
        #expect(keepAlive.check(at: self.seconds(125), timing: self.timing) == .ping(checkAt: self.seconds(155)))
        #expect(keepAlive.check(at: self.seconds(155), timing: self.timing) == .close)
    }

    @Test("P25, P27: whoever answers is asked again after as long a silence, for ever")
    func goesOn() {
        var keepAlive = KeepAlive(now: 0)
        var now: UInt64 = 0
        for _ in 0..<100 {
            now += self.seconds(125)
            #expect(keepAlive.check(at: now, timing: self.timing) == .ping(checkAt: now + self.seconds(30)))
            now += self.seconds(29)
            keepAlive.heard(at: now)
            #expect(keepAlive.check(at: now, timing: self.timing) == .wait(until: now + self.seconds(125)))
        }
    }

    @Test("7: anything heard counts as a sign of life")
    func heard() {
        var keepAlive = KeepAlive(now: 0)
        keepAlive.heard(at: self.seconds(100))
        #expect(keepAlive.check(at: self.seconds(125), timing: self.timing) == .wait(until: self.seconds(225)))
    }

    @Test(
        "7: a duration is whole nanoseconds and never negative",
        arguments: [
            (.seconds(2), 2_000_000_000), (.milliseconds(1500), 1_500_000_000), (.nanoseconds(1), 1), (.zero, 0),
            (.seconds(-1), 0),
            (.milliseconds(-1), 0),
        ] as [(Duration, UInt64)])
    func durations(_ vector: (duration: Duration, nanoseconds: UInt64)) {
        #expect(vector.duration.nanoseconds == vector.nanoseconds)
    }
}
