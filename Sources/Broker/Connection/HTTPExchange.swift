import NIOCore
import PusherProtocol
import Wire

/// The HTTP side of a connection: reads requests one after another and answers each at once, so pipelined ones are
/// answered in order. Owned by its connection.
///
/// Only a request whose signature is right gets a body read into memory.
final class HTTPExchange {
    private enum Phase {
        case head
        case body(ReceivedBody)
        /// The answer takes several turns; what comes meanwhile waits.
        case answering
        /// The connection ends; what still comes is not looked at.
        case ended
    }

    private struct ReceivedBody {
        let head: HTTPRequestHead
        let request: APIRequest
        var bytes: [UInt8] = []
        /// How a chunked body goes on; nil for one of `length` bytes.
        var chunks: ChunkedBody?
        var length = 0

        /// Takes what belongs to the body from the front of `input`.
        mutating func take(
            _ input: UnsafeRawBufferPointer, limit: Int
        ) throws(HTTPRequestFailure) -> (taken: Int, isWhole: Bool) {
            if self.chunks != nil {
                var bytes: [UInt8] = []
                swap(&bytes, &self.bytes)
                defer { swap(&bytes, &self.bytes) }
                let taken = try self.chunks?.decode(input, appendingTo: &bytes) ?? 0
                return (taken, self.chunks?.isDone ?? true)
            }
            let taken = min(input.count, self.length - self.bytes.count)
            self.bytes.append(contentsOf: UnsafeRawBufferPointer(rebasing: input[..<taken]))
            return (taken, self.bytes.count == self.length)
        }
    }

    private var phase = Phase.head
    /// Requests that were answered.
    private var answered = 0
    /// Where the request at hand goes, as far as it is known.
    private var route = BrokerRoute.other
    /// Received bytes that do not make a whole head yet.
    private var partial: [UInt8] = []
    /// How much of `partial` is known not to end the head.
    private var searched = 0
    /// Whether the deadline is that of the head in `partial`.
    private var isHeadTimed = false

    /// Nothing of a request has come since the last answer.
    var isIdle: Bool {
        if case .head = self.phase { self.partial.isEmpty } else { false }
    }

    func receive(_ input: UnsafeRawBufferPointer, connection: Connection) {
        if self.partial.isEmpty {
            let used = self.consume(input, connection: connection)
            self.partial.append(contentsOf: UnsafeRawBufferPointer(rebasing: input[used...]))
        } else {
            var bytes: [UInt8] = []
            swap(&bytes, &self.partial)
            bytes.append(contentsOf: input)
            let used = bytes.withUnsafeBytes { self.consume($0, connection: connection) }
            if used > 0 { bytes.removeFirst(used) }
            swap(&bytes, &self.partial)
        }
        // Behind a request that is being answered a publisher may send more, but not for ever.
        if self.partial.count > HTTPRequestHead.maxBytes + connection.loop.configuration.maxBodyBytes {
            connection.closeNow()
        }
        // Only while this still is the connection's business: not after an upgrade, nor behind the last answer.
        guard case .http = connection.state else { return }
        self.setDeadline(connection: connection)
    }

    /// A head and a body each have one deadline from their first byte; between requests there is a longer one.
    private func setDeadline(connection: Connection) {
        guard case .head = self.phase, !self.isHeadTimed else { return }
        let timeouts = connection.loop.configuration.timeouts
        self.isHeadTimed = !self.partial.isEmpty
        connection.setDeadline(after: self.isHeadTimed ? timeouts.requestHead : timeouts.idleRequest)
    }

    /// A deadline has passed: says so to whoever is in the middle of a request.
    func timedOut(connection: Connection) {
        if self.isIdle {
            connection.closeIdle()
        } else {
            self.answer(HTTPAnswer(.requestTimeout, text: "The request did not arrive in time"), connection: connection)
        }
    }

    /// Works through `bytes` and returns how many were used.
    private func consume(_ bytes: UnsafeRawBufferPointer, connection: Connection) -> Int {
        var used = 0
        while used < bytes.count {
            let rest = UnsafeRawBufferPointer(rebasing: bytes[used...])
            do throws(HTTPRequestFailure) {
                switch self.phase {
                case .ended: return bytes.count
                case .answering: return used
                case .head:
                    guard let length = try HTTPRequestHead.length(in: rest, searched: self.searched) else {
                        self.searched = rest.count
                        return used
                    }
                    self.searched = 0
                    self.isHeadTimed = false
                    used += length
                    let head = try HTTPRequestHead(
                        parsing: UnsafeRawBufferPointer(rebasing: rest[..<length]))
                    used += self.begin(
                        head, following: UnsafeRawBufferPointer(rebasing: rest[length...]), connection: connection)
                    // After an upgrade the rest is WebSocket frames; after a refused one, nobody's.
                    guard case .http = connection.state else {
                        connection.receive(UnsafeRawBufferPointer(rebasing: bytes[used...]))
                        return bytes.count
                    }
                case .body(var body):
                    self.phase = .head
                    let (taken, isWhole) = try body.take(rest, limit: connection.loop.configuration.maxBodyBytes)
                    used += taken
                    if isWhole {
                        body.bytes.withUnsafeBytes {
                            self.finish(body.request, body: $0, head: body.head, connection: connection)
                        }
                    } else {
                        self.phase = .body(body)
                    }
                }
            } catch {
                self.phase = .ended
                self.answer(
                    HTTPAnswer(HTTPAnswer.Status(rawValue: error.status) ?? .badRequest, text: error.message),
                    connection: connection)
                return bytes.count
            }
        }
        return used
    }

    /// A head has arrived, and `following` behind it. Returns how much of that was used.
    private func begin(
        _ head: HTTPRequestHead, following: UnsafeRawBufferPointer, connection: Connection
    ) -> Int {
        let loop = connection.loop
        let (route, match) = BrokerRoutes.match(head, loop: loop)
        self.route = route
        switch match {
        case .answer(let answer):
            // A body that nobody asked for is not read: the connection ends behind the answer instead.
            let hasBody = head.body != .length(0)
            self.answer(answer, head: head, keepsAlive: head.keepsAlive && !hasBody, connection: connection)
        case .upgrade(let upgrade, let key):
            if let answer = WebSocketUpgrade.perform(head, upgrade, key: key, connection: connection) {
                self.answer(answer, head: head, keepsAlive: false, connection: connection)
            }
        case .request(let request):
            return self.begin(request, head: head, following: following, connection: connection)
        }
        return 0
    }

    /// A request has begun whose signature is right. Returns how much of what follows its head was used.
    private func begin(
        _ request: APIRequest, head: HTTPRequestHead, following: UnsafeRawBufferPointer, connection: Connection
    ) -> Int {
        let loop = connection.loop
        let limit = loop.configuration.maxBodyBytes
        var body = ReceivedBody(head: head, request: request)
        switch head.body {
        // Most are whole already, and need not be copied.
        case .length(let length) where length <= min(following.count, limit):
            let bytes = UnsafeRawBufferPointer(rebasing: following[..<length])
            self.finish(request, body: bytes, head: head, connection: connection)
            return length
        case .length(let length):
            guard length <= limit else {
                self.answer(
                    HTTPAnswer(.contentTooLarge, text: "Body is over \(limit) bytes"), head: head, keepsAlive: false,
                    connection: connection)
                return 0
            }
            body.length = length
            body.bytes.reserveCapacity(min(length, 16 * 1024))
        case .chunked:
            body.chunks = ChunkedBody(maxBytes: limit)
        }
        if head.expectsContinue { loop.replies.writeStaticString("HTTP/1.1 100 Continue\r\n\r\n") }
        self.phase = .body(body)
        connection.setDeadline(after: loop.configuration.timeouts.requestBody)
        return 0
    }

    /// A whole request has arrived.
    private func finish(
        _ request: APIRequest, body: UnsafeRawBufferPointer, head: HTTPRequestHead, connection: Connection
    ) {
        switch request.answer(body: body) {
        case .answer(let answer):
            self.answer(answer, head: head, keepsAlive: head.keepsAlive, connection: connection)
        case .listing(let listing):
            self.phase = .answering
            self.answer(with: listing, head: head, connection: connection)
        }
    }

    private func answer(with listing: ChannelListing, head: HTTPRequestHead, connection: Connection) {
        var listing = listing
        connection.loop.inPieces { isTimeUp in
            guard case .answering = self.phase, case .http = connection.state else { return true }
            guard listing.goOn(isTimeUp: isTimeUp) else { return false }
            connection.goOn {
                self.phase = .head
                self.answer(listing.finish(), head: head, keepsAlive: head.keepsAlive, connection: connection)
            }
            return true
        }
    }

    private func answer(
        _ answer: HTTPAnswer, head: HTTPRequestHead? = nil, keepsAlive: Bool = false, connection: Connection
    ) {
        let loop = connection.loop
        loop.counts.answered(self.route, status: answer.status.rawValue)
        if answer.status.isRefusal { connection.log(answer, route: self.route) }
        self.route = .other
        self.answered += 1
        let isLast = loop.isShuttingDown || self.answered >= loop.configuration.maxRequestsPerConnection
        let keepsAlive = keepsAlive && !isLast
        answer.write(
            to: &loop.replies, date: loop.httpDate, keepsAlive: keepsAlive, withoutBody: head?.method == "HEAD")
        guard !keepsAlive else { return }
        self.phase = .ended
        connection.closeAfterReplies()
    }
}
