internal import PusherClient
internal import PusherProtocol

/// One event that is to be published.
struct OutgoingEvent {
    let marker: Marker
    let channel: Int
}

/// What became of a publish.
enum PublishOutcome {
    case accepted
    /// In words for the report: the same words for the same cause.
    case refused(String)
}

/// A connection that publishes one call after another. Confined to its loop.
protocol Publisher: AnyObject {
    /// The channels it may publish to, in turn.
    var channels: [Int] { get }
    /// Publishes events, and calls back when it may be asked again. Called only when the last call has been answered.
    func publish(_ events: [OutgoingEvent], _ done: @escaping (PublishOutcome) -> Void)
    /// The event has reached everybody.
    func completed(_ event: UInt32)
    /// Nothing more is expected of the last call.
    func giveUp()
}

/// Publishes by the signed HTTP API.
final class HTTPPublisher: Publisher {
    let channels: [Int]
    private let connection: HTTPConnection
    private let plan: LoadPlan
    private let names: [String]
    /// Seconds since 1970.
    private let wallClock: () -> Int64

    init(
        connection: HTTPConnection, plan: LoadPlan, names: [String], channels: [Int],
        wallClock: @escaping () -> Int64
    ) {
        self.connection = connection
        self.plan = plan
        self.names = names
        self.channels = channels
        self.wallClock = wallClock
    }

    func publish(_ events: [OutgoingEvent], _ done: @escaping (PublishOutcome) -> Void) {
        let isBatch = self.plan.batch > 1
        var writer = JSONWriter(reserving: events.count * (self.plan.payload + 128))
        if isBatch { writer.literal(#"{"batch":["#) }
        for (index, event) in events.enumerated() {
            if index > 0 { writer.literal(",") }
            writer.literal(#"{"name":""#)
            writer.verbatim(Array(self.plan.eventName.utf8))
            writer.literal(isBatch ? #"","channel":""# : #"","channels":[""#)
            writer.verbatim(Array(self.names[event.channel].utf8))
            writer.literal(isBatch ? #"","data":"# : #""],"data":"#)
            writer.string(event.marker.data(size: self.plan.payload))
            writer.literal("}")
        }
        if isBatch { writer.literal("]}") }
        let request = SignedRequest(
            method: "POST", path: "/apps/\(self.plan.credentials.id)/\(isBatch ? "batch_events" : "events")",
            body: writer.bytes)
        self.connection.send(request.head(of: self.plan, now: self.wallClock()), body: request.body) { answer in
            switch answer {
            case .success(let answer) where (200..<300).contains(answer.status): done(.accepted)
            case .success(let answer): done(.refused(answer.summary))
            case .failure(let failure): done(.refused("no answer: \(failure)"))
            }
        }
    }

    func completed(_ event: UInt32) {}

    func giveUp() {}
}

/// Publishes as a subscriber, by client events: one at a time, so that a refusal is known to be of it.
final class ClientEventPublisher: Publisher {
    let channels: [Int]
    private let subscriber: Subscriber
    private let names: [String]
    private let payload: Int
    private let eventName: String
    private var underWay: (event: UInt32, done: (PublishOutcome) -> Void)?

    init(subscriber: Subscriber, plan: LoadPlan, names: [String]) {
        self.subscriber = subscriber
        self.names = names
        self.payload = plan.payload
        self.eventName = plan.eventName
        self.channels = (0..<plan.subscriptions).map {
            plan.channel(ofConnection: subscriber.number, subscription: $0)
        }
        subscriber.onRefusal = { [unowned self] failure in
            self.finish(.refused(Self.words(failure)))
        }
    }

    func publish(_ events: [OutgoingEvent], _ done: @escaping (PublishOutcome) -> Void) {
        for event in events {
            self.underWay = (event.marker.event, done)
            self.subscriber.connection?.send(
                .clientEvent(
                    ClientEvent(
                        name: self.eventName, channel: self.names[event.channel],
                        text: event.marker.data(size: self.payload))))
        }
    }

    func completed(_ event: UInt32) {
        if self.underWay?.event == event { self.finish(.accepted) }
    }

    func giveUp() { self.finish(.accepted) }

    private func finish(_ outcome: PublishOutcome) {
        let underWay = self.underWay
        self.underWay = nil
        underWay?.done(outcome)
    }

    private static func words(_ failure: ServerEvent.Failure) -> String {
        switch failure.code {
        case 4301: "4301 over the rate limit of client events"
        case let code?: "\(code) \(failure.message)"
        case nil: failure.message
        }
    }
}
