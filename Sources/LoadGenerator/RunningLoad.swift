internal import Glibc
internal import NIOCore

/// The publishing half of a run, and what ties it to the receiving half. Confined to the first loop.
final class RunningLoad {
    let pacer: Pacer
    private let connections: [HTTPConnection]

    /// Call on the first of `loops`, when all are connected.
    init(plan: LoadPlan, names: [String], loops: [NIOLoopBound<LoadLoop>]) {
        let first = loops[0]
        var connections: [HTTPConnection] = []
        var publishers: [any Publisher] = []
        var publisherLoops: [Int?] = []
        switch plan.mode {
        case .http:
            for index in 0..<plan.publishers {
                let connection = HTTPConnection(
                    endpoint: plan.endpoint, address: first.value.address, eventLoop: first.eventLoop)
                // Each begins at another channel, so that together they reach all evenly.
                let channels = plan.channels == 1 ? [0] : (0..<plan.channels).map { ($0 + index) % plan.channels }
                connections.append(connection)
                publishers.append(
                    HTTPPublisher(connection: connection, plan: plan, names: names, channels: channels) {
                        Int64(time(nil))
                    })
                publisherLoops.append(nil)
            }
        case .clientEvents:
            // Those of the first loop.
            for subscriber in first.value.subscribers.prefix(plan.publishers) {
                first.value.tracker.publishes(as: publishers.count)
                publishers.append(ClientEventPublisher(subscriber: subscriber, plan: plan, names: names))
                publisherLoops.append(0)
            }
        }
        self.connections = connections
        let audience = Audience(plan: plan, publisherLoops: publisherLoops)
        self.pacer = Pacer(
            plan: plan, eventLoop: first.eventLoop, publishers: publishers,
            expected: { audience.expected(on: $0, from: $1) })
        let pacer = NIOLoopBound(self.pacer, eventLoop: first.eventLoop)
        let bound = NIOLoopBound(audience, eventLoop: first.eventLoop)
        for loop in loops {
            loop.eventLoop.execute {
                let isFirst = loop.eventLoop === first.eventLoop
                loop.value.tracker.onComplete = { event in
                    if isFirst {
                        pacer.value.loopCompleted(event)
                    } else {
                        first.eventLoop.execute { pacer.value.loopCompleted(event) }
                    }
                }
                loop.value.onLoss = { subscriber in
                    let number = subscriber.number
                    first.eventLoop.execute { bound.value.lose(connection: number, plan: plan) }
                }
            }
        }
    }

    func close() {
        for connection in self.connections { connection.close() }
    }
}
