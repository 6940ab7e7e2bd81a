import ArgumentParser
import LoadGenerator
import PusherClient
import PusherProtocol

/// What is done to the server, as flags.
struct LoadOptions: ParsableArguments {
    @Option(help: ArgumentHelp("subscribed WebSocket connections", valueName: "n"))
    var connections = 100
    @Option(help: ArgumentHelp("channels, over which they spread evenly [default: 10, or as many as connections]"))
    var channels: Int?
    @Option(help: ArgumentHelp("channels that each connection subscribes to", valueName: "n"))
    var subscriptions = 1
    @Flag(name: .customLong("private"), help: "private channels, signed with the app's secret")
    var isPrivate = false
    @Flag(name: .customLong("presence"), help: "presence channels; each connection is a member of its own")
    var isPresence = false
    @Option(help: ArgumentHelp("bytes of an event's data", valueName: "bytes"))
    var payload = 100
    @Flag(help: "publish by client events of subscribers instead of the HTTP API")
    var clientEvents = false
    @Option(help: ArgumentHelp("events in each request of the HTTP API (batch_events)", valueName: "n"))
    var batch = 1
    @Option(
        help: ArgumentHelp(
            "closed loop: the next event is sent when fewer than n have not arrived everywhere [default: 8]",
            valueName: "n"))
    var inFlight: Int?
    @Option(
        help: ArgumentHelp(
            "open loop: n events a second at fixed moments, from which latencies count", valueName: "n"))
    var rate: Int?
    @Option(help: ArgumentHelp("connections that publish [default: 8 or --in-flight if less]", valueName: "n"))
    var publishers: Int?
    @Option(help: ArgumentHelp("seconds that are measured", valueName: "s"))
    var duration = 10
    @Option(help: ArgumentHelp("seconds before, which are not", valueName: "s"))
    var warmup = 1
    @Option(help: ArgumentHelp("threads of this program", valueName: "n"))
    var threads = 1

    /// The windows of sequence numbers that a run may need: 16 bytes each.
    private static let maxWindows = 20_000_000

    /// Everything checked, for it to make sense and to be bounded.
    func plan(
        for endpoint: PusherEndpoint, credentials: AppCredentials, process: Int?
    ) throws(StartFailure) -> LoadPlan {
        try Self.check("connections", self.connections, 1...100_000)
        let channels = self.channels ?? min(10, self.connections)
        try Self.check("channels", channels, 1...100_000)
        try Self.check("subscriptions", self.subscriptions, 1...min(100, channels))
        try Self.check("payload", self.payload, Marker.minPayload...100_000)
        try Self.check("batch", self.batch, 1...10)
        try Self.check("duration", self.duration, 1...3600)
        try Self.check("warmup", self.warmup, 0...600)
        try Self.check("threads", self.threads, 1...min(64, self.connections))
        guard channels <= self.connections * self.subscriptions else {
            throw .usage(
                "--channels is \(channels), but there are only \(self.connections * self.subscriptions) "
                    + "subscriptions: nobody would be on some of them")
        }
        let (pace, publishers) = try self.pacing(channels: channels)
        guard self.connections * self.subscriptions * publishers <= Self.maxWindows else {
            throw .usage("connections times subscriptions times publishers is over \(Self.maxWindows)")
        }
        return LoadPlan(
            endpoint: endpoint, credentials: credentials, connections: self.connections, channels: channels,
            subscriptions: self.subscriptions, kind: try self.kind(),
            mode: self.clientEvents ? .clientEvents : .http(batch: self.batch), pace: pace, publishers: publishers,
            payload: self.payload, threads: self.threads, warmUp: .seconds(self.warmup),
            duration: .seconds(self.duration), process: process)
    }

    private func kind() throws(StartFailure) -> LoadPlan.ChannelKind {
        guard !self.isPrivate || !self.isPresence else { throw .usage("--private and --presence cannot both be given") }
        if self.isPresence { return .presence }
        // Client events need a channel that is not public.
        return self.isPrivate || self.clientEvents ? .private : .public
    }

    private func pacing(channels: Int) throws(StartFailure) -> (LoadPlan.Pace, publishers: Int) {
        guard self.rate == nil || self.inFlight == nil else {
            throw .usage("--rate and --in-flight cannot both be given: an open loop does not wait")
        }
        if let rate { try Self.check("rate", rate, 1...1_000_000) }
        let inFlight = self.inFlight ?? 8
        try Self.check("in-flight", inFlight, 1...10_000)
        guard self.clientEvents else {
            let publishers = self.publishers ?? (self.rate == nil ? min(8, inFlight) : 8)
            try Self.check("publishers", publishers, 1...256)
            return (self.rate.map { .open(rate: $0) } ?? .closed(inFlight: inFlight), publishers)
        }
        guard self.batch == 1 else { throw .usage("--batch is of the HTTP API, not of client events") }
        let most = min(256, self.connections / self.threads)
        let publishers = self.publishers ?? min(channels, most)
        try Self.check("publishers", publishers, 1...most)
        guard self.connections * self.subscriptions >= 2 * channels else {
            throw .usage(
                "a client event needs somebody else on its channel: use at least twice as many connections "
                    + "as channels")
        }
        return (self.rate.map { .open(rate: $0) } ?? .closed(inFlight: inFlight), publishers)
    }

    private static func check(_ flag: String, _ value: Int, _ range: ClosedRange<Int>) throws(StartFailure) {
        guard range.contains(value) else {
            throw .usage(
                "--\(flag) is \(value); allowed: a whole number from \(range.lowerBound) to \(range.upperBound)")
        }
    }
}
