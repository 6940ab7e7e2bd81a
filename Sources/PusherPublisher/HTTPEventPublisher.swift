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
        let request = self.request(for: events)
        let status: Int
        do {
            let response = try await self.client.execute(request, timeout: TimeAmount(self.deadline))
            status = Int(response.status.code)
            // Read to its end, or the connection cannot be used again. Nothing in it is of use.
            _ = try await response.body.collect(upTo: 1 << 16)
        } catch {
            throw .unavailable(Self.cause(of: error))
        }
        switch status {
        case 200..<300: return
        case 400, 413, 422: throw .rejected(status: status)
        case ..<500, 502...504: throw .unavailable("status \(status)")
        default: throw .failed(status: status)
        }
    }

    private func request(for events: [PublishedEvent]) -> HTTPClientRequest {
        let credentials = self.credentials.current
        let (path, body) = Self.call(for: events, appID: credentials.id)
        let query = RequestSignature.signedQuery(
            method: "POST", path: path, body: body, timestamp: Int64(Date().timeIntervalSince1970),
            credentials: credentials)
        var request = HTTPClientRequest(url: "\(self.target.url)\(path)?\(query)")
        request.method = .POST
        request.headers.add(name: "content-type", value: "application/json")
        request.body = .bytes(body)
        return request
    }

    private static func call(for events: [PublishedEvent], appID: String) -> (path: String, body: [UInt8]) {
        if events.count == 1, let event = events.first {
            let body = self.body(of: event, channel: ("channels", [.string(event.channel)]))
            return ("/apps/\(appID)/events", body.bytes)
        }
        let batch = events.map { self.body(of: $0, channel: ("channel", .string($0.channel))) }
        return ("/apps/\(appID)/batch_events", JSON.object([("batch", .array(batch))]).bytes)
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
