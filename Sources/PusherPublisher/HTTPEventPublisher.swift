internal import AsyncHTTPClient
internal import FoundationEssentials
package import NIOCore
internal import NIOHTTP1
internal import PusherProtocol

/// Publishes over the signed HTTP API: one event by `events`, several by `batch_events` (8.5 and 8.6 of the protocol
/// facts).
///
/// Connections are kept alive between calls. Every call is signed anew, so a repeated one is within the clock window.
/// Call `shutdown()` before the last reference goes.
package struct HTTPEventPublisher: EventPublisher {
    private let client: HTTPClient
    private let target: PublishTarget
    private let credentials: LiveCredentials
    private let deadline: Duration

    /// `deadline` is for one whole call, connecting included. All connections are the event loop's.
    package init(
        target: PublishTarget, credentials: LiveCredentials, deadline: Duration = .seconds(10), loop: any EventLoop
    ) {
        var configuration = HTTPClient.Configuration(
            redirectConfiguration: .disallow,
            timeout: .init(connect: .seconds(3)),
            decompression: .disabled)
        configuration.httpVersion = .http1Only
        // The caller has its own back-off, and wants to hear of a failure at once.
        configuration.connectionPool.retryConnectionEstablishment = false
        self.client = HTTPClient(eventLoopGroupProvider: .shared(loop), configuration: configuration)
        self.target = target
        self.credentials = credentials
        self.deadline = deadline
    }

    /// Closes the connections. No call may be running or follow.
    package func shutdown() async throws {
        try await self.client.shutdown()
    }

    package func publish(_ events: [PublishedEvent]) async throws(PublishFailure) {
        let (path, body) = Self.call(for: events)
        switch try await self.send(.POST, path, body: body) {
        case 200..<300: return
        case let status where [400, 413, 422].contains(status): throw .rejected(status: status)
        case let status where status < 500 || (502...504).contains(status): throw .unavailable("status \(status)")
        case let status: throw .failed(status: status)
        }
    }

    /// Makes one signed call and returns its status. `path` is what follows `/apps/{id}`. Throws `unavailable` when
    /// there is no answer.
    func send(_ method: HTTPMethod, _ path: String, body: [UInt8]) async throws(PublishFailure) -> Int {
        let request = self.request(method, path, body: body)
        do {
            let response = try await self.client.execute(request, timeout: TimeAmount(self.deadline))
            // Read to its end, or the connection cannot be used again; but not for ever. Nothing in it is of use.
            var size = 0
            for try await part in response.body {
                size += part.readableBytes
                if size > 1 << 16 { break }
            }
            return Int(response.status.code)
        } catch {
            throw .unavailable(Self.cause(of: error))
        }
    }

    private func request(_ method: HTTPMethod, _ path: String, body: [UInt8]) -> HTTPClientRequest {
        let credentials = self.credentials.current
        let path = "/apps/\(credentials.id)\(path)"
        let query = RequestSignature.signedQuery(
            method: method.rawValue, path: path, body: body, timestamp: Int64(Date().timeIntervalSince1970),
            credentials: credentials)
        var request = HTTPClientRequest(url: "\(self.target.url)\(path)?\(query)")
        request.method = method
        guard !body.isEmpty else { return request }
        request.headers.add(name: "content-type", value: "application/json")
        request.body = .bytes(body)
        return request
    }

    private static func call(for events: [PublishedEvent]) -> (path: String, body: [UInt8]) {
        if events.count == 1, let event = events.first {
            let body = self.body(of: event, channel: ("channels", [.string(event.channel)]))
            return ("/events", body.bytes)
        }
        let batch = events.map { self.body(of: $0, channel: ("channel", .string($0.channel))) }
        return ("/batch_events", JSON.object([("batch", .array(batch))]).bytes)
    }

    private static func body(of event: PublishedEvent, channel: (String, JSON)) -> JSON {
        var members = [channel, ("name", .string(event.name)), ("data", .string(event.data))]
        if let socketID = event.socketID { members.append(("socket_id", .string(socketID))) }
        return .object(members)
    }

    /// A word for the log. The error itself is not printed: it may hold the request's address, signature included.
    private static func cause(of error: any Error) -> String {
        switch error {
        case let error as HTTPClientError: error.shortDescription
        case let error as IOError: "system error \(error.errnoCode)"
        default: "\(type(of: error))"
        }
    }
}
