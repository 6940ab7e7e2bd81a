internal import Hummingbird
internal import HummingbirdCore
internal import Logging
internal import NIOCore

/// Hummingbird's HTTP/1.1 connections, whose tasks run on the connection's own event loop.
///
/// Else each request goes from the loop to a thread of the pool and back, which costs more than most requests do. What
/// blocks was never allowed in either place.
struct LoopChannel: ServerChildChannel {
    typealias Value = HTTP1Channel.Value

    let http: HTTP1Channel

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Value> {
        self.http.setup(channel: channel, logger: logger)
    }

    func handle(value: Value, logger: Logger) async {
        await withTaskExecutorPreference(LoopExecutor(loop: value.channel.eventLoop)) {
            await self.http.handle(value: value, logger: logger)
        }
    }
}
