internal import NIOCore

/// Closes a connection whose client takes nothing of what it asked for: an answer that waits holds memory, and perhaps an
/// open file. Hummingbird's own limit is for requests that do not come.
///
/// Confined to the connection's event loop.
final class StalledReaderHandler: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = NIOAny

    private let limit: TimeAmount
    private var deadline: Scheduled<Void>?

    init(limit: TimeAmount) {
        self.limit = limit
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        self.deadline?.cancel()
        self.deadline = nil
        if !context.channel.isWritable {
            let channel = context.channel
            self.deadline = context.eventLoop.scheduleTask(in: self.limit) { channel.close(promise: nil) }
        }
        context.fireChannelWritabilityChanged()
    }

    func channelInactive(context: ChannelHandlerContext) {
        self.deadline?.cancel()
        self.deadline = nil
        context.fireChannelInactive()
    }
}
