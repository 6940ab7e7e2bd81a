import Digests
import PusherProtocol
import Support
import Testing

@testable import Webhooks

@Suite struct EndpointQueueTests {
    private let start = ContinuousClock.now

    private func queue(
        batches: Bool = false, _ configure: (inout WebhookConfiguration) -> Void = { _ in }
    ) -> EndpointQueue {
        var configuration = WebhookConfiguration()
        configure(&configuration)
        return EndpointQueue(credentials: .test, batches: batches, configuration: configuration)
    }

    private func event(_ number: Int, at time: Duration = .zero) -> EndpointQueue.Event {
        EndpointQueue.Event(json: Array("{\"n\":\(number)}".utf8), arrival: self.start + time, time: 7)
    }

    private func body(_ numbers: some Sequence<Int>, time: Int64) -> String {
        "{\"time_ms\":\(time),\"events\":[\(numbers.map { "{\"n\":\($0)}" }.joined(separator: ","))]}"
    }

    @Test("P156, WH-10: without batching every request has one event, one request at a time, in order")
    func single() throws {
        var queue = self.queue()
        #expect(queue.append((0..<3).map { self.event($0) }).isEmpty)
        for number in 0..<3 {
            let time = Int64(number)
            guard case .send(let request) = queue.next(now: self.start, time: time) else {
                Issue.record("nothing to send")
                return
            }
            #expect(request.body == self.body([number], time: time))
            #expect(queue.next(now: self.start, time: 9) == .wait(until: nil))
            #expect(
                queue.attemptFinished(failure: nil, now: self.start, chance: 0) == .delivered(isRecovery: false))
        }
        #expect(queue.next(now: self.start, time: 9) == .wait(until: nil))
    }

    @Test("WH-11: a batch is sent after 250 ms, or with its twentieth event, and has at most 20")
    func batch() throws {
        var queue = self.queue(batches: true)
        _ = queue.append([self.event(0), self.event(1, at: .milliseconds(200))])
        #expect(queue.next(now: self.start, time: 1) == .wait(until: self.start + .milliseconds(250)))
        guard case .send(let first) = queue.next(now: self.start + .milliseconds(250), time: 2) else {
            Issue.record("nothing to send")
            return
        }
        #expect(first.body == self.body(0..<2, time: 2))
        _ = queue.append((2..<25).map { self.event($0, at: .milliseconds(260)) })
        _ = queue.attemptFinished(failure: nil, now: self.start, chance: 0)
        guard case .send(let second) = queue.next(now: self.start + .milliseconds(260), time: 3) else {
            Issue.record("nothing to send")
            return
        }
        #expect(second.body == self.body(2..<22, time: 3))
        _ = queue.attemptFinished(failure: nil, now: self.start, chance: 0)
        #expect(
            queue.next(now: self.start + .milliseconds(260), time: 4) == .wait(until: self.start + .milliseconds(510)))
    }

    @Test("P157, WH-12: a request is tried for five minutes with growing gaps, the same bytes, then given up")
    func retries() throws {
        for chance in [0.0, 0.5, 1] {
            var queue = self.queue()
            _ = queue.append([self.event(0), self.event(1)])
            var now = self.start
            var gaps: [Duration] = []
            var requests: [WebhookRequest] = []
            var givenUp: EndpointQueue.Attempted?
            while givenUp == nil {
                guard case .send(let request) = queue.next(now: now, time: Int64(requests.count)) else {
                    Issue.record("nothing to send")
                    return
                }
                requests.append(request)
                switch queue.attemptFinished(failure: "status 500", now: now, chance: chance) {
                case .delivered: Issue.record("it failed")
                case .giveUp(let attempted, let isFirstFailure):
                    #expect(!isFirstFailure)
                    givenUp = attempted
                case .retry(let isFirstFailure):
                    #expect(isFirstFailure == (requests.count == 1))
                    guard case .wait(let until?) = queue.next(now: now, time: 0) else {
                        Issue.record("no time to wait for")
                        return
                    }
                    gaps.append(until - now)
                    now = until
                }
            }
            #expect(Set(requests.map(\.body)) == [self.body([0], time: 0)])
            #expect(Set(requests.map(\.signature)).count == 1)
            let factor = 1 - 0.2 * chance
            let expected = [1, 2, 4, 8, 16, 32, 60, 60, 60, 60, 60, 60].map { Duration.seconds($0) * factor }
            #expect(gaps == Array(expected.prefix(gaps.count)))
            #expect(now - self.start < .seconds(300))
            #expect(now - self.start + .seconds(60) * factor >= .seconds(300))
            #expect(givenUp?.attempts == requests.count)
            #expect(givenUp?.failure == "status 500")
            guard case .send(let next) = queue.next(now: now, time: 5) else {
                Issue.record("the queue does not go on")
                return
            }
            #expect(next.body == self.body([1], time: 5))
            #expect(queue.attemptFinished(failure: nil, now: now, chance: 0) == .delivered(isRecovery: true))
        }
    }

    @Test("WH-14: a full queue gives up its oldest, not the request on its way", arguments: [true, false])
    func bounded(byNumber: Bool) {
        var queue = self.queue {
            if byNumber { $0.maxEvents = 20 } else { $0.maxBytes = 20 * 7 }
        }
        _ = queue.append([self.event(99)])
        _ = queue.next(now: self.start, time: 1)
        // Seven or eight bytes each.
        #expect(queue.append((0..<10).map { self.event($0) }).isEmpty)
        let shed = queue.append((10..<25).map { self.event($0) })
        #expect(!shed.isEmpty)
        #expect(shed == (0..<shed.count).map { self.event($0) })
        #expect(shed.count >= 7)
        #expect(queue.attemptFinished(failure: nil, now: self.start, chance: 0) == .delivered(isRecovery: false))
        guard case .send(let next) = queue.next(now: self.start, time: 2) else {
            Issue.record("nothing to send")
            return
        }
        #expect(next.body == self.body([shed.count], time: 2))
        #expect(queue.close().waiting.count == 24 - shed.count)
    }

    @Test("WH-16: at the end a request that waits for its next try gets it at once, and a failure is the last")
    func draining() {
        var queue = self.queue()
        _ = queue.append([self.event(0), self.event(1)])
        _ = queue.next(now: self.start, time: 1)
        _ = queue.attemptFinished(failure: "status 500", now: self.start, chance: 0)
        queue.drain(now: self.start, until: self.start + .seconds(3))
        guard case .send = queue.next(now: self.start, time: 2) else {
            Issue.record("nothing to send")
            return
        }
        #expect(queue.next(now: self.start, time: 2) == .wait(until: self.start + .seconds(3)))
        #expect(
            queue.attemptFinished(failure: "status 502", now: self.start, chance: 0) == .retry(isFirstFailure: false))
        #expect(queue.next(now: self.start, time: 2) == .finish)
        let rest = queue.close()
        #expect(rest.attempted?.attempts == 2)
        #expect(rest.attempted?.failure == "status 502")
        #expect(rest.waiting == [self.event(1)])
        #expect(queue.append([self.event(2)]) == [self.event(2)])
    }

    @Test("WH-16: at the end a batch does not wait, an empty queue is done, and time runs out")
    func drainingEnds() {
        var queue = self.queue(batches: true)
        _ = queue.append([self.event(0)])
        queue.drain(now: self.start, until: self.start + .seconds(3))
        guard case .send = queue.next(now: self.start, time: 2) else {
            Issue.record("nothing to send")
            return
        }
        _ = queue.attemptFinished(failure: nil, now: self.start, chance: 0)
        #expect(queue.next(now: self.start, time: 2) == .finish)

        var late = self.queue()
        _ = late.append([self.event(0)])
        late.drain(now: self.start, until: self.start + .seconds(3))
        #expect(late.next(now: self.start + .seconds(3), time: 2) == .finish)
        #expect(late.close().waiting == [self.event(0)])
    }

    @Test("WH-3: a new secret signs new requests, not those that were made")
    func reconfigured() {
        var queue = self.queue()
        _ = queue.append([self.event(0), self.event(1)])
        guard case .send(let first) = queue.next(now: self.start, time: 1) else { return }
        queue.reconfigure(
            credentials: AppCredentials(id: "4711", key: "new", secret: AppSecret("new-secret")), batches: false)
        _ = queue.attemptFinished(failure: "status 500", now: self.start, chance: 0)
        #expect(queue.next(now: self.start + .seconds(1), time: 2) == .send(first))
        _ = queue.attemptFinished(failure: nil, now: self.start, chance: 0)
        guard case .send(let second) = queue.next(now: self.start, time: 3) else {
            Issue.record("nothing to send")
            return
        }
        #expect(second.key == "new")
        #expect(second.signature == AppSecret("new-secret").sign(second.body).hex)
    }
}
