package import PusherClient
package import PusherProtocol

/// What a run does to a server.
package struct LoadPlan: Sendable {
    package enum ChannelKind: String, Sendable {
        case `public`, `private`, presence
    }

    /// How events are published.
    package enum Mode: Equatable, Sendable {
        /// Over the signed HTTP API, so many events with each request.
        case http(batch: Int)
        /// By subscribers, as client events.
        case clientEvents
    }

    /// When events are published.
    package enum Pace: Equatable, Sendable {
        /// As soon as fewer than so many are under way: not answered, or not everywhere yet.
        case closed(inFlight: Int)
        /// So many a second at fixed moments, whatever becomes of them.
        case open(rate: Int)
    }

    package var endpoint: PusherEndpoint
    package var credentials: AppCredentials
    package var connections: Int
    package var channels: Int
    /// To how many channels each connection subscribes; at most `channels`.
    package var subscriptions: Int
    package var kind: ChannelKind
    package var mode: Mode
    package var pace: Pace
    /// Connections that publish, beside the subscribers or among them.
    package var publishers: Int
    /// Bytes of an event's data, at least `Marker.minPayload`.
    package var payload: Int
    package var threads: Int
    package var warmUp: Duration
    package var duration: Duration
    /// The server's process, when it is on this machine.
    package var process: Int?

    package init(
        endpoint: PusherEndpoint, credentials: AppCredentials, connections: Int, channels: Int, subscriptions: Int,
        kind: ChannelKind, mode: Mode, pace: Pace, publishers: Int, payload: Int, threads: Int, warmUp: Duration,
        duration: Duration, process: Int?
    ) {
        self.endpoint = endpoint
        self.credentials = credentials
        self.connections = connections
        self.channels = channels
        self.subscriptions = subscriptions
        self.kind = kind
        self.mode = mode
        self.pace = pace
        self.publishers = publishers
        self.payload = payload
        self.threads = threads
        self.warmUp = warmUp
        self.duration = duration
        self.process = process
    }

    var batch: Int {
        switch self.mode {
        case .http(let batch): batch
        case .clientEvents: 1
        }
    }

    var eventName: String { self.mode == .clientEvents ? "client-bench" : "bench" }

    /// The channel of a connection's subscription. A connection's channels lie one behind the other, in a ring.
    package func channel(ofConnection connection: Int, subscription: Int) -> Int {
        (connection * self.subscriptions + subscription) % self.channels
    }

    /// Which of its subscriptions a connection has to a channel; nil when it has none.
    package func subscription(ofConnection connection: Int, to channel: Int) -> Int? {
        let place = (channel - self.channel(ofConnection: connection, subscription: 0) + self.channels) % self.channels
        return place < self.subscriptions ? place : nil
    }
}

/// The names of the channels of one run, all of the same length.
struct ChannelNames: Sendable {
    let all: [String]

    /// - Parameter run: what keeps apart runs at the same time.
    init(_ plan: LoadPlan, run: UInt32) {
        let prefix =
            switch plan.kind {
            case .public: ""
            case .private: "private-"
            case .presence: "presence-"
            }
        self.all = (0..<plan.channels).map { "\(prefix)bench-\(run)-\(100_000 + $0)" }
    }
}
