import BrokerCore
import NIOCore
import PusherProtocol
import Wire

/// `POST /apps/{id}/events` and `POST /apps/{id}/batch_events` (8.5 and 8.6 of the protocol facts).
enum TriggerEndpoints {
    static func trigger(_ body: [UInt8], app: ServedApp) throws(RequestRejection) -> HTTPAnswer {
        let request = try self.decode(body) { (bytes) throws(RequestRejection) in
            try TriggerRequest(decoding: bytes, limits: app.application.limits)
        }
        self.publish(request, app: app)
        guard !request.info.isEmpty else { return .emptyObject }
        let channels = request.channels.map { ($0, app.hub.occupancy(of: $0) ?? .empty($0)) }
        return HTTPAnswer(json: ChannelInfo.channels(channels, info: request.info))
    }

    static func triggerBatch(_ body: [UInt8], app: ServedApp) throws(RequestRejection) -> HTTPAnswer {
        let batch = try self.decode(body) { (bytes) throws(RequestRejection) in
            try TriggerRequest.batch(decoding: bytes, limits: app.application.limits)
        }
        for request in batch { self.publish(request, app: app) }
        guard batch.contains(where: { !$0.info.isEmpty }) else { return .emptyObject }
        return HTTPAnswer(
            json: ChannelInfo.batch(
                batch.map { request in
                    let channel = request.channels[0]
                    return ChannelInfo.attributes(request.info, of: app.hub.occupancy(of: channel) ?? .empty(channel))
                }))
    }

    private static func decode<Request>(
        _ body: [UInt8], _ decode: (UnsafeRawBufferPointer) throws(RequestRejection) -> Request
    ) throws(RequestRejection) -> Request {
        try body.withUnsafeBytes { bytes in
            Result { () throws(RequestRejection) in
                guard UTF8Validation.isValid(bytes) else { throw .badRequest("Request body is not UTF-8") }
                return try decode(bytes)
            }
        }.get()
    }

    private static func publish(_ request: TriggerRequest, app: ServedApp) {
        let now = NIODeadline.now().uptimeNanoseconds
        for channel in request.channels {
            app.hub.publish(
                name: request.name, data: request.data, to: channel, excluded: request.excluded,
                of: app.application, now: now)
        }
    }
}
