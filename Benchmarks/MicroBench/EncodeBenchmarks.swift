import NIOCore
import PusherProtocol

/// What the broker says, from values to the bytes of WebSocket frames.
func encodeBenchmarks() -> [Benchmark] {
    let small = Sample.data(64)
    let large = Sample.data(10_000)
    let plain = Sample.text(1024)
    let json = (0..<128).flatMap { _ in Array(#""key":1,"#.utf8) }
    return [
        Benchmark("encode.event-64B") {
            keep(
                ByteBuffer(
                    webSocketText: ServerFrame.event(name: Sample.eventName, channel: Sample.channel, data: small)))
        },
        Benchmark("encode.event-10KB") {
            keep(
                ByteBuffer(
                    webSocketText: ServerFrame.event(name: Sample.eventName, channel: Sample.channel, data: large)))
        },
        Benchmark("encode.escape-plain-1KB") {
            var writer = JSONWriter(reserving: 2048)
            writer.string(plain)
            keep(writer.bytes)
        },
        Benchmark("encode.escape-json-1KB") {
            var writer = JSONWriter(reserving: 2048)
            writer.string(json)
            keep(writer.bytes)
        },
        Benchmark("encode.connection-established") {
            keep(ServerFrame.connectionEstablished(socketID: Sample.socketID, activityTimeout: 120))
        },
        Benchmark("encode.subscription-succeeded") {
            keep(ServerFrame.subscriptionSucceeded(channel: Sample.channel))
        },
        Benchmark("encode.presence-100-members", repetitions: 100) {
            keep(ServerFrame.subscriptionSucceeded(channel: Sample.channel, members: Sample.members))
        },
        Benchmark("encode.member-added") {
            keep(ServerFrame.memberAdded(channel: Sample.channel, member: Sample.members[0]))
        },
    ]
}
