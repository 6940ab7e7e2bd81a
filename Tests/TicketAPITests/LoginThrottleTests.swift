import Testing

@testable import TicketAPI

struct LoginThrottleTests {
    private let now = Timestamp(microseconds: 1_000_000_000_000)

    @Test("ACC-5: a slot that was given back leaves nothing behind")
    func givenBack() throws {
        let throttle = LoginThrottle()
        for index in 0...LoginThrottle.maxKeys {
            throttle.giveBack(try throttle.take(email: "\(index)@x.y", address: "a", now: self.now))
        }
    }

    @Test(
        "ACC-12: when as many addresses as are remembered failed, others wait a minute, and none is forgotten"
    )
    func bound() throws {
        let throttle = LoginThrottle()
        func take(_ email: String, at seconds: Int64 = 0) throws {
            _ = try throttle.take(email: email, address: "a", now: self.now.advanced(bySeconds: seconds))
        }
        try take("early@x.y", at: -30)
        for index in 1..<LoginThrottle.maxKeys { try take("\(index)@x.y") }
        #expect { try take("new@x.y") } throws: { if case TicketFailure.overloaded = $0 { true } else { false } }
        for _ in 1..<LoginThrottle.limit { try take("7@x.y") }
        #expect { try take("7@x.y") } throws: { if case TicketFailure.throttled = $0 { true } else { false } }
        // As soon as there is a place, and not at the next sweep that is due.
        try take("new@x.y", at: 31)
        try take("other@x.y", at: 60)
    }

    @Test("ACC-4: a subscriber's /64 is one network address, and so is an IPv4 address in either form")
    func networks() throws {
        let throttle = LoginThrottle()
        func take(_ address: String) throws { _ = try throttle.take(email: "a@x.y", address: address, now: self.now) }
        for host in 1...LoginThrottle.limit { try take("2001:db8::\(host):1") }
        #expect { try take("2001:db8:0:0:ffff::") } throws: {
            if case TicketFailure.throttled = $0 { true } else { false }
        }
        try take("2001:db8:0:1::1")
        for index in 0..<LoginThrottle.limit { try take(index.isMultiple(of: 2) ? "192.0.2.1" : "::ffff:192.0.2.1") }
        #expect { try take("::ffff:192.0.2.1") } throws: {
            if case TicketFailure.throttled = $0 { true } else { false }
        }
    }

    @Test("ACC-5: a clock that was put back does not make the minute longer than two")
    func clockPutBack() throws {
        let throttle = LoginThrottle()
        func take(at seconds: Int64) throws {
            _ = try throttle.take(email: "a@x.y", address: "a", now: self.now.advanced(bySeconds: seconds))
        }
        for _ in 0..<LoginThrottle.limit { try take(at: 3600) }
        #expect { try take(at: 3590) } throws: { if case TicketFailure.throttled = $0 { true } else { false } }
        try take(at: 0)
    }
}
