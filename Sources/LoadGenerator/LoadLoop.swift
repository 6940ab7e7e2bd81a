internal import NIOCore
internal import PusherClient
internal import PusherProtocol

/// The share of a run that one event loop carries. Confined to its loop.
final class LoadLoop {
    /// Handshakes in progress at once, on all loops together.
    private static let concurrency = 64

    let plan: LoadPlan
    let channels: [String]
    let client: ClientLoop
    let tracker: DeliveryTracker
    /// What the first connection found.
    var address: SocketAddress?
    private(set) var subscribers: [Subscriber]
    private(set) var joinedCount = 0
    private(set) var losses: [String: Int] = [:]
    private var nextToOpen = 0
    /// How many are to be opened for now.
    private var wanted = 0
    private var opening: EventLoopPromise<Void>?
    /// Called when a connection is lost, with the channels that it was subscribed to.
    var onLoss: (Subscriber) -> Void = { _ in }

    /// - Parameter index: this loop's place among the loops; it has every `plan.threads`-th connection.
    init(index: Int, plan: LoadPlan, channels: [String], client: ClientLoop) {
        self.plan = plan
        self.channels = channels
        self.client = client
        let numbers = Array(stride(from: index, to: plan.connections, by: plan.threads))
        self.tracker = DeliveryTracker(plan: plan, channels: channels, connections: numbers.count)
        self.subscribers = []
        self.subscribers = numbers.enumerated().map { Subscriber(number: $1, index: $0, loop: self) }
    }

    /// Opens connections up to `count` of this loop's, and succeeds when all are subscribed. Fails with the first
    /// `LoadFailure`; then no more are opened.
    func open(upTo count: Int) -> EventLoopFuture<Void> {
        let promise = self.client.eventLoop.makePromise(of: Void.self)
        self.opening = promise
        self.wanted = min(count, self.subscribers.count)
        self.openMore()
        return promise.futureResult
    }

    private func openMore() {
        guard let opening else { return }
        if self.joinedCount == self.wanted {
            self.opening = nil
            return opening.succeed()
        }
        let width = max(1, Self.concurrency / self.plan.threads)
        while self.nextToOpen < self.wanted, self.nextToOpen - self.joinedCount < width {
            let subscriber = self.subscribers[self.nextToOpen]
            self.nextToOpen += 1
            subscriber.open()
        }
    }

    func joined(_ subscriber: Subscriber) {
        self.joinedCount += 1
        self.openMore()
    }

    func failed(_ failure: LoadFailure) {
        let opening = self.opening
        self.opening = nil
        opening?.fail(failure)
    }

    func lost(_ subscriber: Subscriber, because failure: PusherClientFailure) {
        self.losses["\(failure)", default: 0] += 1
        self.onLoss(subscriber)
    }

    func close() {
        for subscriber in self.subscribers { subscriber.connection?.close() }
        // They hold this loop.
        self.subscribers = []
    }
}
