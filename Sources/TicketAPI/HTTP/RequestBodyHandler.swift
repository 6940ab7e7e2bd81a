internal import HTTPTypes
internal import NIOCore
internal import NIOHTTPTypes

/// Looks after request bodies on behalf of the connection: asks for the one that the client holds back until it is wanted
/// (`Expect: 100-continue`, RFC 9110 section 10.1.1), and bounds the rest of one that was answered before it was read.
///
/// Such a rest has to come in before the connection can be used again, and many clients read no answer before they have
/// sent everything. Hummingbird would read it however long it is, of anybody. Here it is dropped, up to `maxRest` bytes
/// and for `limit`; then the connection is closed.
///
/// Confined to the connection's event loop.
final class RequestBodyHandler: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart
    typealias InboundOut = HTTPRequestPart
    typealias OutboundIn = HTTPResponsePart
    typealias OutboundOut = HTTPResponsePart

    /// To be triggered outbound by whoever is about to read the body of the request that is being answered.
    struct BodyIsWanted {}

    /// As long as the longest body that any route takes.
    private static let maxRest = FormReader.maxBytes

    private let limit: TimeAmount
    /// Requests whose answers have not been written to their ends.
    private var unanswered = 0
    private var isReadingBody = false
    private var awaitsContinue = false
    /// Bytes that were dropped of a body that nobody reads any more; nil while there is none.
    private var dropped: Int?
    private var deadline: Scheduled<Void>?

    init(limit: TimeAmount) {
        self.limit = limit
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch self.unwrapInboundIn(data) {
        case .head(let head):
            self.unanswered += 1
            self.isReadingBody = true
            self.awaitsContinue = head.headerFields[.expect]?.lowercased() == "100-continue"
        case .body(let bytes):
            self.awaitsContinue = false
            if let dropped = self.dropped {
                // What is read in pieces from a socket does not add up to an overflow before the bound.
                self.dropped = dropped + bytes.readableBytes
                if dropped + bytes.readableBytes > Self.maxRest { context.close(promise: nil) }
                return
            }
        case .end:
            self.isReadingBody = false
            self.awaitsContinue = false
            self.stopDropping()
        }
        context.fireChannelRead(data)
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        context.write(data, promise: promise)
        guard case .end = self.unwrapOutboundIn(data) else { return }
        self.unanswered -= 1
        guard self.unanswered == 0, self.isReadingBody, self.dropped == nil else { return }
        self.dropped = 0
        let channel = context.channel
        self.deadline = context.eventLoop.scheduleTask(in: self.limit) { channel.close(promise: nil) }
    }

    func triggerUserOutboundEvent(context: ChannelHandlerContext, event: Any, promise: EventLoopPromise<Void>?) {
        guard event is BodyIsWanted else { return context.triggerUserOutboundEvent(event, promise: promise) }
        // A request behind the one that is answered has its turn later: its client waits no longer than clients do.
        if self.awaitsContinue, self.unanswered == 1 {
            self.awaitsContinue = false
            context.writeAndFlush(self.wrapOutboundOut(.head(HTTPResponse(status: .continue))), promise: nil)
        }
        promise?.succeed()
    }

    func channelInactive(context: ChannelHandlerContext) {
        self.stopDropping()
        context.fireChannelInactive()
    }

    private func stopDropping() {
        self.dropped = nil
        self.deadline?.cancel()
        self.deadline = nil
    }
}
