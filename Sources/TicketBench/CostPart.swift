/// CPU time of a request, beside the bare server's, round by round.
struct CostPart {
    let chat: Chat
    let bare: BareProcess
    let rounds: Int

    private static let secondsPerRound = 1.5

    func run(_ report: inout Report) throws {
        let posters = self.chat.posters
        let (bare, server) = (self.bare.process, self.chat.server.process)
        func repeaters(_ port: Int, _ expected: Int, _ request: (Poster) -> [UInt8]) throws -> [Repeater] {
            try posters.map { try Repeater(port: port, request: request($0), expected: expected) }
        }
        let barePosts = try repeaters(self.bare.port, 201) {
            HTTPClient.request(
                "POST", "/tickets/\($0.ticket)/chat/messages", token: $0.token,
                json: #"{"content":"\#(String(repeating: "b", count: 97))"}"#)
        }
        let bareGets = try repeaters(self.bare.port, 200) {
            HTTPClient.request("GET", "/tickets/\($0.ticket)", token: $0.token)
        }
        let ticketsPort = self.chat.server.ticketsPort
        let users = try repeaters(ticketsPort, 200) { HTTPClient.request("GET", "/user", token: $0.token) }
        let tickets = try repeaters(ticketsPort, 200) {
            HTTPClient.request("GET", "/tickets/\($0.quietTicket)", token: $0.token)
        }
        defer { for repeater in barePosts + bareGets + users + tickets { repeater.close() } }

        var costs: [String: [Double]] = [:]
        // The first round warms everything up and does not count.
        for round in 0...self.rounds {
            Progress.say(round == 0 ? "cost: warming up" : "cost: round \(round) of \(self.rounds)")
            func note(_ name: String, _ process: ChildProcess, _ load: () throws -> Int) throws {
                let before = process.cpuSeconds
                let count = try load()
                let microseconds = (process.cpuSeconds - before) / Double(max(1, count)) * 1e6
                if round > 0 { costs[name, default: []].append(microseconds) }
            }
            try note(Self.barePost, bare) { try Load.closed(barePosts, seconds: Self.secondsPerRound) }
            try note(Self.post, server) {
                let count = try Load.closed(posters, seconds: Self.secondsPerRound).count
                self.chat.listener.wait(for: posters)
                return count
            }
            try note(Self.bareGet, bare) { try Load.closed(bareGets, seconds: Self.secondsPerRound) }
            try note(Self.user, server) { try Load.closed(users, seconds: Self.secondsPerRound) }
            try note(Self.ticket, server) { try Load.closed(tickets, seconds: Self.secondsPerRound) }
        }
        for (name, yardstick) in [
            (Self.post, Self.barePost), (Self.user, Self.bareGet), (Self.ticket, Self.bareGet),
        ] {
            let (ours, theirs) = (costs[name, default: []], costs[yardstick, default: []])
            report.costs.append(
                .init(
                    name: name, yardstick: yardstick, microseconds: median(ours), yardstickMicroseconds: median(theirs),
                    ratio: median(zip(ours, theirs).map { $0 / $1 })))
        }
    }

    private static let barePost = "bare POST"
    private static let bareGet = "bare GET"
    private static let post = "POST /tickets/{id}/chat/messages"
    private static let user = "GET /user"
    private static let ticket = "GET /tickets/{id}"
}
