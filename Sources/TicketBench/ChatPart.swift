/// How many messages a second are stored and delivered, and how long one is on its way.
struct ChatPart {
    let chat: Chat
    let seconds: Int

    func run(_ report: inout Report) throws {
        Progress.say("warming up for 2 s")
        _ = try self.closed(seconds: 2)

        Progress.say("closed loop for \(self.seconds) s")
        let closed = try self.closed(seconds: Double(self.seconds))
        report.loads.append(.init(name: "closed loop", rate: closed.rate, closed))

        // The maximum is what was stored and delivered, so the open loop's rate is half of that.
        let rate = closed.rate / 2
        Progress.say("open loop at \(Int(rate)) messages/s for \(self.seconds) s")
        let open = try self.measure { try Load.open(self.chat.posters, rate: rate, seconds: Double(self.seconds)) }
        report.loads.append(.init(name: "open loop, half rate", rate: open.rate, open))
    }

    private func closed(seconds: Double) throws -> Measured {
        try self.measure { try Load.closed(self.chat.posters, seconds: seconds) }
    }

    struct Measured {
        let answers: Times
        let deliveries: Times
        /// Messages acknowledged and delivered, per second from the first request to the last delivery.
        let rate: Double
        let serverCPU: Double
        let generatorCPU: Double
    }

    private func measure(_ load: () throws -> [Int64]) throws -> Measured {
        _ = self.chat.listener.takeLatencies()
        let (server, own, start) = (self.chat.server.process.cpuSeconds, Clock.ownCPU, Clock.now)
        let answers = Times(try load())
        self.chat.listener.wait(for: self.chat.posters)
        let elapsed = Double(Clock.now - start) / 1e9
        return Measured(
            answers: answers, deliveries: Times(self.chat.listener.takeLatencies()),
            rate: Double(answers.count) / elapsed,
            serverCPU: (self.chat.server.process.cpuSeconds - server) / elapsed,
            generatorCPU: (Clock.ownCPU - own) / elapsed)
    }
}
