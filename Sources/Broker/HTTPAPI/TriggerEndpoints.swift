import BrokerCore
import PusherProtocol

/// `POST /apps/{id}/events`, `…/batch_events` and the deprecated `…/channels/{channel}/events` (8.5, 8.6 and 8.11 of
/// the protocol facts).
extension APIRequest {
    func trigger(_ body: UnsafeRawBufferPointer) throws(RequestRejection) -> HTTPAnswer {
        let request = try self.decode(body) { (bytes) throws(RequestRejection) in
            try TriggerRequest(decoding: bytes, query: self.query, limits: self.limits)
        }
        let now = self.loop.now
        if let refusal = self.refusal(of: 1, now: now) { return refusal }
        self.publish(request, now: now)
        guard !request.info.isEmpty else { return .emptyObject }
        let channels = request.channels.map { ($0, self.app.hub.occupancy(of: $0) ?? .empty($0)) }
        return HTTPAnswer(json: ChannelInfo.channels(channels, info: request.info))
    }

    func triggerBatch(_ body: UnsafeRawBufferPointer) throws(RequestRejection) -> HTTPAnswer {
        let batch = try self.decode(body) { (bytes) throws(RequestRejection) in
            try TriggerRequest.batch(decoding: bytes, limits: self.limits)
        }
        let now = self.loop.now
        if let refusal = self.refusal(of: batch.count, now: now) { return refusal }
        for request in batch { self.publish(request, now: now) }
        guard batch.contains(where: { !$0.info.isEmpty }) else { return .emptyObject }
        return HTTPAnswer(
            json: ChannelInfo.batch(
                batch.map { request in
                    let channel = request.channels[0]
                    let occupancy = self.app.hub.occupancy(of: channel) ?? .empty(channel)
                    return ChannelInfo.attributes(request.info, of: occupancy)
                }))
    }

    func trigger(_ body: UnsafeRawBufferPointer, channel name: String) throws(RequestRejection) -> HTTPAnswer {
        let channel = try self.channel(name)
        let request = try self.decode(body) { (bytes) throws(RequestRejection) in
            try TriggerRequest(decoding: bytes, to: channel, query: self.query, limits: self.limits)
        }
        let now = self.loop.now
        if let refusal = self.refusal(of: 1, now: now) { return refusal }
        self.publish(request, now: now)
        return .accepted
    }

    /// What to answer instead of publishing so many events; nil when the app may publish them now.
    private func refusal(of count: Int, now: UInt64) -> HTTPAnswer? {
        let wait = self.app.hub.admitPublishes(count, to: self.app.application, now: now)
        return wait.map { seconds in
            HTTPAnswer(.tooManyRequests, text: "The app publishes more events than it may; try again in \(seconds) s")
                .adding("Retry-After: \(seconds)\r\n")
        }
    }

    private func publish(_ request: TriggerRequest, now: UInt64) {
        for channel in request.channels {
            self.app.hub.publish(
                name: request.name, data: request.data, to: channel, excluded: request.excluded,
                of: self.app.application, now: now)
        }
    }
}
