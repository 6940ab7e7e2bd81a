/// How many connections of each loop are subscribed to each channel. Confined to the first loop.
final class Audience {
    private var counts: [[Int]]
    /// The loop of the connection that sends a publisher's client events, which does not receive them.
    private let publisherLoops: [Int?]

    init(plan: LoadPlan, publisherLoops: [Int?]) {
        self.publisherLoops = publisherLoops
        self.counts = Array(repeating: Array(repeating: 0, count: plan.channels), count: plan.threads)
        for connection in 0..<plan.connections {
            for subscription in 0..<plan.subscriptions {
                let channel = plan.channel(ofConnection: connection, subscription: subscription)
                self.counts[connection % plan.threads][channel] += 1
            }
        }
    }

    /// How many of each loop should receive an event.
    func expected(on channel: Int, from publisher: Int) -> [Int] {
        self.counts.indices.map {
            self.counts[$0][channel] - (self.publisherLoops[publisher] == $0 ? 1 : 0)
        }
    }

    /// A connection has gone.
    func lose(connection: Int, plan: LoadPlan) {
        for subscription in 0..<plan.subscriptions {
            let channel = plan.channel(ofConnection: connection, subscription: subscription)
            self.counts[connection % plan.threads][channel] -= 1
        }
    }
}
