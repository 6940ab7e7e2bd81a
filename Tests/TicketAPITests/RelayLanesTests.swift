import Testing

@testable import TicketAPI

struct RelayLanesTests {
    private let start = ContinuousClock.now

    @Test("A ticket is in one call at a time, and what came in meanwhile is in the next")
    func oneCallPerLane() {
        var lanes = RelayLanes()
        lanes.found(1)
        lanes.found(1)
        #expect(lanes.next(now: self.start) == [1])
        lanes.found(1)
        #expect(lanes.next(now: self.start) == nil)
        lanes.finished(RelayCall(tickets: [1]), now: self.start, chance: 1)
        #expect(lanes.next(now: self.start) == [1])
        lanes.finished(RelayCall(tickets: [1]), now: self.start, chance: 1)
        #expect(lanes.next(now: self.start) == nil)
        #expect(lanes.isIdle && lanes.nextWake == nil)
    }

    @Test("Four calls of ten tickets go side by side")
    func limits() {
        var lanes = RelayLanes()
        for ticketID in 1...100 { lanes.found(Int64(ticketID)) }
        for call in 0..<4 { #expect(lanes.next(now: self.start) == (1...10).map { Int64(call * 10 + $0) }) }
        #expect(lanes.next(now: self.start) == nil)
        lanes.finished(RelayCall(tickets: (1...10).map(Int64.init)), now: self.start, chance: 1)
        #expect(lanes.next(now: self.start)?.first == 41)
    }

    @Test("While the broker is away one call at a time is tried, after waits that double up to two seconds")
    func pauses() {
        var lanes = RelayLanes()
        lanes.found(1)
        lanes.found(2)
        var now = self.start
        var waits: [Duration] = []
        for _ in 0..<7 {
            let tickets = lanes.next(now: now) ?? []
            #expect(tickets == [1, 2] || tickets == [2, 1])
            #expect(lanes.next(now: now) == nil)
            var call = RelayCall(tickets: tickets)
            call.outcome = .unavailable("away")
            call.unfinishedTickets = [1, 2]
            lanes.finished(call, now: now, chance: 1)
            #expect(lanes.next(now: now) == nil)
            #expect(lanes.isIdle)
            let wake = lanes.nextWake ?? now
            waits.append(wake - now)
            now = wake
        }
        #expect(waits == [100, 200, 400, 800, 1600, 2000, 2000].map(Duration.milliseconds))
        #expect(lanes.next(now: now) != nil)
        lanes.finished(RelayCall(tickets: [1, 2]), now: now, chance: 1)
        #expect(lanes.failuresInARow == 0)
    }

    @Test("A call that had nothing to publish ends no outage, and its ticket is well")
    func nothingDue() {
        var lanes = RelayLanes()
        lanes.found(1)
        _ = lanes.next(now: self.start)
        var call = RelayCall(tickets: [1])
        call.outcome = .failed("status 500")
        call.failedTickets = [1]
        lanes.finished(call, now: self.start, chance: 1)
        let later = self.start + .milliseconds(100)
        #expect(lanes.next(now: later) == [1])
        call = RelayCall(tickets: [1])
        call.outcome = .nothingDue
        lanes.finished(call, now: later, chance: 1)
        #expect(lanes.failuresInARow == 1)
        #expect(lanes.isIdle && lanes.nextWake == nil)
        lanes.found(1)
        lanes.found(2)
        #expect(lanes.next(now: later) == [1, 2])
    }

    @Test("A ticket on which the broker failed rests, longer each time, and then travels alone")
    func failingLane() {
        var lanes = RelayLanes()
        for ticketID in 1...3 { lanes.found(Int64(ticketID)) }
        _ = lanes.next(now: self.start)
        var call = RelayCall(tickets: [1, 2, 3])
        call.outcome = .failed("status 500")
        call.failedTickets = [2]
        call.unfinishedTickets = [2, 3]
        lanes.finished(call, now: self.start, chance: 1)
        let later = self.start + .milliseconds(100)
        #expect(lanes.nextWake == later)
        lanes.found(4)
        // The one that did not fail goes first; the one that did goes by itself.
        #expect(lanes.next(now: later) == [3, 4])
        lanes.finished(RelayCall(tickets: [3, 4]), now: later, chance: 1)
        #expect(lanes.next(now: later) == [2])
        call = RelayCall(tickets: [2])
        call.outcome = .failed("status 500")
        call.failedTickets = [2]
        lanes.finished(call, now: later, chance: 1)
        #expect(lanes.next(now: later + .milliseconds(150)) == nil)
        #expect(lanes.nextWake == later + .milliseconds(200))
        #expect(lanes.next(now: later + .milliseconds(200)) == [2])
        lanes.finished(RelayCall(tickets: [2]), now: later, chance: 1)
        #expect(lanes.isIdle && lanes.nextWake == nil)
    }

    @Test("REV-4: a termination goes at once, beside full calls and in a pause; no lane goes before it is done")
    func termination() {
        var lanes = RelayLanes()
        for ticketID in 1...50 { lanes.found(Int64(ticketID)) }
        for _ in 0..<4 { #expect(lanes.next(now: self.start) != nil) }
        lanes.foundTermination()
        #expect(lanes.nextTermination(now: self.start) == true)
        #expect(lanes.nextTermination(now: self.start) == false)
        lanes.finished(RelayCall(tickets: (1...10).map(Int64.init)), now: self.start, chance: 1)
        #expect(lanes.next(now: self.start) == nil)
        #expect(!lanes.isIdle && lanes.nextWake == nil)
        lanes.finished(TerminationCall(), now: self.start, chance: 1)
        #expect(lanes.next(now: self.start) == (41...50).map(Int64.init))

        var call = RelayCall(tickets: (11...20).map(Int64.init))
        call.outcome = .unavailable("away")
        lanes.finished(call, now: self.start, chance: 1)
        #expect(lanes.next(now: self.start) == nil)
        lanes.foundTermination()
        #expect(lanes.nextTermination(now: self.start) == true)
    }

    @Test("REV-4: what came while terminations were on their way, and what one call did not take, is another call")
    func moreTerminations() {
        var lanes = RelayLanes()
        lanes.found(1)
        lanes.foundTermination()
        #expect(lanes.nextTermination(now: self.start) == true)
        lanes.foundTermination()
        lanes.finished(TerminationCall(), now: self.start, chance: 1)
        #expect(lanes.next(now: self.start) == nil)
        #expect(lanes.nextTermination(now: self.start) == true)
        lanes.finished(TerminationCall(hasMore: true), now: self.start, chance: 1)
        #expect(lanes.next(now: self.start) == nil)
        #expect(lanes.nextTermination(now: self.start) == true)
        lanes.finished(TerminationCall(), now: self.start, chance: 1)
        #expect(lanes.next(now: self.start) == [1])
    }

    @Test("REV-4: a call that came upon a termination has it carried out before its lanes go on")
    func sawTermination() {
        var lanes = RelayLanes()
        lanes.found(1)
        #expect(lanes.next(now: self.start) == [1])
        var call = RelayCall(tickets: [1])
        call.outcome = .nothingDue
        call.sawTermination = true
        call.unfinishedTickets = [1]
        lanes.finished(call, now: self.start, chance: 1)
        #expect(lanes.next(now: self.start) == nil)
        #expect(lanes.nextTermination(now: self.start) == true)
        lanes.finished(TerminationCall(), now: self.start, chance: 1)
        #expect(lanes.next(now: self.start) == [1])
    }

    @Test("REV-4: while terminations fail everything waits, up to two seconds each time, and a shutdown does not")
    func failingTermination() {
        var lanes = RelayLanes()
        lanes.found(1)
        lanes.foundTermination()
        #expect(!lanes.isIdle)
        var now = self.start
        var waits: [Duration] = []
        for _ in 0..<7 {
            #expect(lanes.nextTermination(now: now) == true)
            lanes.finished(TerminationCall(failure: "away"), now: now, chance: 1)
            #expect(lanes.nextTermination(now: now) == false)
            #expect(lanes.next(now: now) == nil)
            #expect(lanes.isIdle)
            let wake = lanes.nextWake ?? now
            waits.append(wake - now)
            now = wake
        }
        #expect(waits == [100, 200, 400, 800, 1600, 2000, 2000].map(Duration.milliseconds))
        #expect(lanes.nextTermination(now: now) == true)
        lanes.finished(TerminationCall(), now: now, chance: 1)
        #expect(lanes.failedTerminationsInARow == 0)
        #expect(lanes.next(now: now) == [1])
    }
}
