import BrokerCore
import PusherProtocol
import Wire

/// One request of the HTTP API whose signature is right, ready for its body. Lives on its connection's loop.
struct APIRequest {
    let call: APICall
    let app: ServedApp
    let query: QueryParameters
    /// The MD5 that the body must have; nil when it must be empty.
    let bodyDigest: String?
    let loop: LoopContext

    var limits: Limits { self.app.application.limits }

    /// What becomes of a request.
    enum Outcome {
        case answer(HTTPAnswer)
        /// An answer that takes several turns of the loop.
        case listing(ChannelListing)
    }

    func answer(body: UnsafeRawBufferPointer) -> Outcome {
        do throws(RequestSignature.Refusal) {
            try RequestSignature.verify(body: body, digest: self.bodyDigest)
        } catch {
            return .answer(HTTPAnswer(error))
        }
        guard !self.call.publishes || !self.app.hub.isOverloaded else {
            return .answer(
                HTTPAnswer(.serviceUnavailable, text: "The server is behind with deliveries; try again")
                    .adding("Retry-After: 1\r\n"))
        }
        do throws(RequestRejection) {
            return try self.carryOut(body: body)
        } catch {
            return .answer(
                HTTPAnswer(HTTPAnswer.Status(rawValue: error.status) ?? .badRequest, text: error.message))
        }
    }

    private func carryOut(body: UnsafeRawBufferPointer) throws(RequestRejection) -> Outcome {
        switch self.call {
        case .events: .answer(try self.trigger(body))
        case .batchEvents: .answer(try self.triggerBatch(body))
        case .channelEvents(let name): .answer(try self.trigger(body, channel: name))
        case .channels: .listing(try self.listChannels())
        case .channel(let name): .answer(try self.showChannel(name))
        case .users(let name): .answer(try self.listUsers(ofChannel: name))
        case .stats(let name): .answer(try self.showStats(ofChannel: name))
        case .terminate(let user): .answer(try self.terminate(user: user))
        case .terminateConnections: .answer(try self.terminateConnections(body))
        case .terminateSubscriptions(let name): .answer(try self.terminateSubscriptions(toChannel: name))
        }
    }

    /// What a body asks for, which must be UTF-8.
    func decode<Request>(
        _ body: UnsafeRawBufferPointer, _ decode: (UnsafeRawBufferPointer) throws(RequestRejection) -> Request
    ) throws(RequestRejection) -> Request {
        guard UTF8Validation.isValid(body) else { throw .badRequest("Request body is not UTF-8") }
        return try decode(body)
    }

    /// The channel that a segment of the path names.
    func channel(_ segment: String) throws(RequestRejection) -> ChannelName {
        guard let decoded = QueryParameters.percentDecoded(segment),
            let channel = ChannelName(decoded, limit: self.limits.channelName)
        else { throw .badRequest("Invalid channel name") }
        return channel
    }
}
