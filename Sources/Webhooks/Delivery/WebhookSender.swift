internal import AsyncHTTPClient
internal import FoundationEssentials
internal import Glibc
internal import NIOCore
internal import NIOHTTP1
internal import NIOPosix

/// Brings requests to one endpoint, one at a time. A connection is kept between requests; for a new one the host name
/// is looked up anew. Call `shutdown()` before the last reference goes.
actor WebhookSender {
    /// Bytes of an answer's body that are read so that its connection can be used again.
    private static let maxAnswerBytes = 65_536
    /// How connecting fails at once where nobody is.
    private static let refusals = [ECONNREFUSED, EHOSTUNREACH, ENETUNREACH, EADDRNOTAVAIL, EAFNOSUPPORT]

    private let url: String
    private let host: String
    private let lookup: EndpointLookup
    private let answerTime: Duration
    private var client: AddressClient?
    /// Whether the last attempt with `client` ended with a status.
    private var isAnswered = false

    init(url: String, lookups: HostLookups, answerTime: Duration) {
        self.url = url
        // What the HTTP client takes for the host.
        self.host = URL(string: url)?.host ?? ""
        self.lookup = EndpointLookup(host: self.host, lookups: lookups)
        self.answerTime = answerTime
    }

    /// Closes the connection. No request may be on its way or follow.
    func shutdown() {
        self.client?.shutdown()
        self.client = nil
    }

    /// Sends a request once; nil when it was accepted, else a few words on why not.
    func send(_ request: WebhookRequest, headers: [(name: String, value: String)]) async -> String? {
        var call = HTTPClientRequest(url: self.url)
        call.method = .POST
        call.headers.add(name: "User-Agent", value: "Switchboard-Webhooks")
        for (name, value) in headers { call.headers.replaceOrAdd(name: name, value: value) }
        // Exactly this: the Node SDK compares the whole value (9.1).
        call.headers.add(name: "Content-Type", value: "application/json")
        call.headers.add(name: "X-Pusher-Key", value: request.key)
        call.headers.add(name: "X-Pusher-Signature", value: request.signature)
        call.body = .bytes(ByteBuffer(string: request.body))
        let deadline = ContinuousClock.now + self.answerTime
        do {
            let answer = try await self.answer(to: call, until: deadline)
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

    private func answer(
        to call: HTTPClientRequest, until deadline: ContinuousClock.Instant
    ) async throws -> HTTPClientResponse {
        if let client, client.isConnected, self.isAnswered {
            return try await self.answer(to: call, from: client, until: deadline)
        }
        var failure: any Error = LookupFailure(cause: "the host name has no address")
        for address in self.inTurn(try await self.addresses(until: deadline)) {
            do {
                return try await self.answer(to: call, from: self.client(at: address), until: deadline)
            } catch let error as IOError where Self.refusals.contains(error.errnoCode) {
                // Nothing was sent, and it took no time.
                failure = error
            }
        }
        throw failure
    }

    private func answer(
        to call: HTTPClientRequest, from client: AddressClient, until deadline: ContinuousClock.Instant
    ) async throws -> HTTPClientResponse {
        self.isAnswered = false
        let answer = try await client.client.execute(call, timeout: .init(deadline - .now))
        self.isAnswered = true
        return answer
    }

    private func addresses(until deadline: ContinuousClock.Instant) async throws -> [String] {
        if (try? SocketAddress(ipAddress: self.host, port: 0)) != nil { return [self.host] }
        return try await self.lookup.addresses(until: deadline)
    }

    /// The addresses from the one that answered last on; when it did not, from the one after it.
    private func inTurn(_ addresses: [String]) -> [String] {
        guard let last = addresses.firstIndex(where: { $0 == self.client?.address }) else { return addresses }
        let first = self.isAnswered ? last : last + 1
        return Array(addresses[first...] + addresses[..<first])
    }

    private func client(at address: String) -> AddressClient {
        if let client, client.address == address { return client }
        self.client?.shutdown()
        let client = AddressClient(host: self.host, address: address, answerTime: self.answerTime)
        self.client = client
        return client
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
        case let error as LookupFailure: error.cause
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
