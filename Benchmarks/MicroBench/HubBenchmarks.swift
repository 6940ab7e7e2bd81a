import BrokerCore
import NIOCore
import NIOEmbedded
import PusherProtocol

/// One app on one loop, with connections that only count what they are sent.
private final class Hub {
    let loop = EmbeddedEventLoop()
    let app: ServedApp
    let subscribers = LoopSubscribers()
    private let fanout: LoopFanout
    private(set) var connections: [Connection] = []

    init(connections: Int) {
        let inbox = LoopInbox(eventLoop: self.loop)
        let hub = AppHub(id: "4711", index: 0, inboxes: [inbox], maxInboxBytes: .max, webhooks: nil)
        self.app = ServedApp(application: Sample.application, hub: hub)
        self.fanout = LoopFanout(inbox: inbox, subscribers: self.subscribers, sockets: LoopSockets())
        let fanout = NIOLoopBound(self.fanout, eventLoop: self.loop)
        inbox.onDelivery { _ = fanout.value.run { false } }
        self.connections = (0..<connections).map { Connection(app: self.app, number: $0) }
    }

    func subscribe(_ connection: Connection, to channel: ChannelName, member: PresenceMember? = nil) {
        let outcome = self.app.hub.subscribe(
            Admission(channel: channel, member: member), loop: 0, of: Sample.application, now: 0)
        guard case .joined(let join) = outcome else { fatalError("the channel is full") }
        connection.subscriptions.append(
            self.subscribers.insert(
                connection, to: channel, app: 0, joinedAt: join.sequence, slot: connection.subscriptions.count,
                userID: member?.userID))
    }

    func unsubscribeLast(_ connection: Connection) {
        let subscription = unwrap(connection.subscriptions.popLast())
        self.subscribers.remove(subscription, app: 0)
        self.app.hub.unsubscribe(
            subscription.channel.name, loop: 0, userID: subscription.userID, of: Sample.application, now: 0)
    }

    func publish(_ data: [UInt8], to channel: ChannelName) {
        self.app.hub.publish(
            name: Sample.eventName, data: data, to: channel, excluded: nil, of: Sample.application, now: 0)
    }
}

/// A channel's subscriptions and what is published to them, from the tables to each connection's part; without the
/// system call that sends it.
func hubBenchmarks() -> [Benchmark] {
    let data = Sample.data(64)
    return [
        subscription("hub.subscribe-and-leave", member: nil),
        // Into a channel that has 99 members already, who hear of both.
        subscription("hub.presence-join-and-leave", member: Sample.members[99]),
        fanout("hub.publish-nobody", connections: 0, channels: 1) { hub, channels in
            hub.publish(data, to: channels[0])
        },
        fanout("hub.publish-1", connections: 1, channels: 1) { hub, channels in hub.publish(data, to: channels[0]) },
        fanout("hub.publish-1000", connections: 1000, channels: 1) { hub, channels in
            hub.publish(data, to: channels[0])
        },
        fanout("hub.publish-1000-8-in-flight", connections: 1000, channels: 1) { hub, channels in
            for _ in 0..<8 { hub.publish(data, to: channels[0]) }
        },
        fanout("hub.publish-10x100-16-in-flight", connections: 1000, channels: 10) { hub, channels in
            for index in 0..<16 { hub.publish(data, to: channels[index % 10]) }
        },
        relay(),
    ]
}

private func fanout(
    _ name: String, connections: Int, channels: Int, _ body: @escaping (Hub, [ChannelName]) -> Void
) -> Benchmark {
    let hub = Hub(connections: connections)
    let channels = (0..<channels).map { Sample.channel("private-chat.\($0)") }
    for (index, connection) in hub.connections.enumerated() {
        hub.subscribe(connection, to: channels[index % channels.count])
    }
    return Benchmark(name, repetitions: connections > 1 ? 50 : 1000) {
        body(hub, channels)
        hub.loop.run()
    }
}

private func subscription(_ name: String, member: PresenceMember?) -> Benchmark {
    let hub = Hub(connections: 100)
    let channel = Sample.channel(member == nil ? "private-chat.4711" : "presence-chat.4711")
    for (index, connection) in hub.connections.dropLast().enumerated() {
        hub.subscribe(connection, to: channel, member: member == nil ? nil : Sample.members[index])
    }
    let last = hub.connections[99]
    return Benchmark(name, repetitions: member == nil ? 1000 : 100) {
        hub.subscribe(last, to: channel, member: member)
        hub.loop.run()
        hub.unsubscribeLast(last)
        hub.loop.run()
    }
}

private func relay() -> Benchmark {
    let hub = Hub(connections: 2)
    for connection in hub.connections { hub.subscribe(connection, to: Sample.channel) }
    let event = WebhookEvent.RelayedClientEvent(
        name: "client-typing", data: Sample.data(32), sender: unwrap(hub.connections[0].socketID), userID: nil)
    return Benchmark("hub.relay-client-event") {
        hub.app.hub.relay(event, to: Sample.channel, of: Sample.application, now: 0)
        hub.loop.run()
    }
}
