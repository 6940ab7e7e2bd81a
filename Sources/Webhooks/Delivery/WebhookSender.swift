internal import AsyncHTTPClient
internal import Glibc
internal import NIOCore
internal import NIOHTTP1
internal import NIOPosix

/// Brings requests to endpoints. Connections are kept between requests. Call `shutdown()` before the last reference
/// goes.
struct WebhookSender: Sendable {
    /// Bytes of an answer's body that are read so that its connection can be used again.
    private static let maxAnswerBytes = 65_536

    private let client: HTTPClient
    private let answerTime: Duration

    init(answerTime: Duration) {
        var configuration = HTTPClient.Configuration(
            redirectConfiguration: .disallow,
            timeout: .init(connect: .init(answerTime)),
            decompression: .disabled)
        configuration.httpVersion = .http1Only
        // The queue has its own pauses.
        configuration.connectionPool.retryConnectionEstablishment = false
        // Each endpoint has one request on its way, so there are no more connections than endpoints. A lower limit
        // would let endpoints of one host that hang delay their neighbours.
        configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = 100_000
        self.client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
        self.answerTime = answerTime
    }

    /// Closes the connections. No request may be on its way or follow.
    func shutdown() async throws {
        try await self.client.shutdown()
    }

    /// Sends a request once; nil when it was accepted, else a few words on why not.
    func send(_ request: WebhookRequest, to endpoint: WebhookEndpoint) async -> String? {
        var call = HTTPClientRequest(url: endpoint.url)
        call.method = .POST
        call.headers.add(name: "User-Agent", value: "Switchboard-Webhooks")
        for (name, value) in endpoint.headers { call.headers.replaceOrAdd(name: name, value: value) }
        // Exactly this: the Node SDK compares the whole value (9.1).
        call.headers.add(name: "Content-Type", value: "application/json")
        call.headers.add(name: "X-Pusher-Key", value: request.key)
        call.headers.add(name: "X-Pusher-Signature", value: request.signature)
        call.body = .bytes(ByteBuffer(string: request.body))
        let deadline = ContinuousClock.now + self.answerTime
        do {
            let answer = try await self.client.execute(call, timeout: .init(self.answerTime))
            await self.discard(answer.body, until: deadline)
            let status = answer.status.code
            switch status {
            case 200..<300: return nil
            case 300..<400: return "status \(status); redirects are not followed"
            default: return "status \(status)"
            }
        } catch {
            return self.cause(of: error)
        }
    }

    /// Reads a body to its end, or it lets go of the connection. How it ends changes nothing: the status has decided.
    private func discard(_ body: HTTPClientResponse.Body, until deadline: ContinuousClock.Instant) async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                var bytes = 0
                do {
                    for try await part in body {
                        bytes += part.readableBytes
                        if bytes > Self.maxAnswerBytes { break }
                    }
                } catch {
                    // Nothing in it was of use.
                }
            }
            // Cancelled when the body has ended first.
            group.addTask { try? await Task.sleep(until: deadline, clock: .continuous) }
            await group.next()
            group.cancelAll()
        }
    }

    /// A few words for the log and the dead letter. The error itself is not printed: it may hold the address.
    private func cause(of error: any Error) -> String {
        switch error {
        case let error as HTTPClientError where error == .deadlineExceeded || error == .connectTimeout:
            "no answer within \(self.answerTime)"
        case let error as HTTPClientError: error.shortDescription
        case let error as IOError: String(cString: strerror(error.errnoCode))
        case is NIOConnectionError: "no connection"
        case is CancellationError: "the server was shut down"
        default: "\(type(of: error))"
        }
    }
}
