internal import HTTPTypes
internal import NIOCore
internal import NIOHTTPTypes

/// Counts a connection for as long as it is open. One too many is answered 503 at its first request and closed, or closed
/// when none comes; the others notice nothing.
///
/// Confined to the connection's event loop.
final class ConnectionLimitHandler: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart
    typealias InboundOut = HTTPRequestPart
    typealias OutboundOut = HTTPResponsePart

    private static let text = #"{"message":"Too many connections."}"#
    /// How long one too many has for its request, and then to take its answer.
    private static let patience = TimeAmount.seconds(5)

    private enum State { case counted, refused, answered, ended }

    private let quota: Quota
    private var state = State.ended
    private var deadline: Scheduled<Void>?

    init(quota: Quota) {
        self.quota = quota
    }

    func handlerAdded(context: ChannelHandlerContext) {
        if self.quota.admit() {
            self.state = .counted
        } else {
            self.state = .refused
            let channel = context.channel
            self.deadline = context.eventLoop.scheduleTask(in: Self.patience) { channel.close(promise: nil) }
        }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if case .counted = self.state { return context.fireChannelRead(data) }
        guard case .refused = self.state, case .head = self.unwrapInboundIn(data) else { return }
        self.state = .answered
        let fields: HTTPFields = [
            .contentType: "application/json", .contentLength: "\(Self.text.utf8.count)", .connection: "close",
            .retryAfter: "1",
        ]
        context.write(
            self.wrapOutboundOut(.head(HTTPResponse(status: .serviceUnavailable, headerFields: fields))), promise: nil)
        context.write(self.wrapOutboundOut(.body(ByteBuffer(string: Self.text))), promise: nil)
        context.writeAndFlush(self.wrapOutboundOut(.end(nil)), promise: nil)
        // Not the input: what is unread there would throw away the answer.
        context.close(mode: .output, promise: nil)
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.deadline?.cancel()
        if case .counted = self.state { self.quota.release() }
        self.state = .ended
    }
}
