import Testing

@testable import Broker

@Suite struct DeadlineWheelTests {
    private final class Member: DeadlineMember {
        var deadline: UInt64 = 0
        var wheelPlace = DeadlineWheelPlace()
        var reminders: [UInt64] = []
        /// What `deadlineReached` does besides.
        var next: UInt64?
        var whenReminded: () -> Void = {}

        func deadlineReached(now: UInt64) -> UInt64? {
            self.reminders.append(now)
            self.whenReminded()
            return self.next
        }
    }

    private static let second: UInt64 = 1_000_000_000
    private let wheel = DeadlineWheel<Member>(now: Self.second)

    private func members(_ count: Int, deadline: UInt64) -> [Member] {
        (0..<count).map { _ in
            let member = Member()
            self.wheel.schedule(member, at: deadline)
            return member
        }
    }

    private func advance(_ seconds: UInt64) -> Bool {
        self.wheel.advance(to: seconds * Self.second, isTimeUp: { false })
    }

    @Test("Many that are due at once are reminded in pieces, each once")
    func pieces() {
        let all = self.members(1000, deadline: 5 * Self.second)
        var pieces = 0
        var rest = 0
        let now = 6 * Self.second
        func isTimeUp() -> Bool {
            rest -= 1
            return rest < 0
        }
        while !self.wheel.advance(to: now, isTimeUp: isTimeUp) {
            pieces += 1
            rest = 99
        }
        #expect(pieces == 10)
        #expect(all.allSatisfy { $0.reminders == [now] })
        #expect(self.wheel.members.isEmpty)
    }

    @Test("Between two pieces members come, go and move as ever")
    func meanwhile() {
        let all = self.members(10, deadline: 5 * Self.second)
        #expect(!self.wheel.advance(to: 6 * Self.second, isTimeUp: { true }))
        let waiting = all.filter(\.reminders.isEmpty)
        #expect(waiting.count == 9 && self.wheel.members.count == 9)
        self.wheel.remove(waiting[0])
        self.wheel.schedule(waiting[1], at: 8 * Self.second)
        self.wheel.schedule(waiting[2], at: 4 * Self.second)
        #expect(self.advance(6))
        #expect(waiting[0].reminders.isEmpty && waiting[1].reminders.isEmpty)
        #expect(waiting[2...].allSatisfy { $0.reminders == [6 * Self.second] })
        #expect(self.advance(9))
        #expect(waiting[1].reminders == [9 * Self.second])
    }

    @Test("A member that removes another while it is reminded keeps it from being reminded")
    func removal() {
        let all = self.members(3, deadline: 5 * Self.second)
        for member in all {
            member.whenReminded = { for other in all where other !== member { self.wheel.remove(other) } }
        }
        #expect(self.advance(6))
        #expect(all.filter { !$0.reminders.isEmpty }.count == 1)
    }

    @Test("Deadlines far away, moved later, and already past are kept")
    func deadlines() {
        let (far, moved, past) = (
            self.members(1, deadline: 1000 * Self.second)[0], self.members(1, deadline: 3 * Self.second)[0],
            self.members(1, deadline: 0)[0]
        )
        // Its next deadline is past, too: it is reminded again, later.
        past.next = 1
        self.wheel.schedule(moved, at: 50 * Self.second)
        #expect(self.advance(49))
        #expect(far.reminders.isEmpty && moved.reminders.isEmpty && past.reminders == [49 * Self.second])
        past.next = nil
        for second in UInt64(50)...1001 { #expect(self.advance(second)) }
        #expect(moved.reminders.count == 1 && far.reminders.count == 1 && past.reminders.count == 2)
        #expect(far.reminders[0] >= 1000 * Self.second)
    }
}
