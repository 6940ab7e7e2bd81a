import BrokerCore
import PusherProtocol

/// Signing, as publishers and applications do, and checking, as the broker does.
func signatureBenchmarks() -> [Benchmark] {
    let small = Sample.trigger(dataBytes: 64)
    let large = Sample.trigger(dataBytes: 10_000)
    let query = unwrap(QueryParameters(Sample.signedQuery))
    let digest = unwrap(query["body_md5"])
    let largeDigest = unwrap(
        QueryParameters(
            RequestSignature.signedQuery(
                method: "POST", path: Sample.path, body: large, timestamp: Sample.now, credentials: Sample.credentials)
        )?["body_md5"])
    let channel = subscribeRequest(Sample.channel, data: nil)
    let presence = subscribeRequest(Sample.channel("presence-chat.4711"), data: Sample.channelData(7))
    return [
        Benchmark("sign.channel") {
            keep(
                ChannelSignature.auth(
                    socketID: "1234567890.3456789012", channel: Sample.channel.text, channelData: nil,
                    credentials: Sample.credentials))
        },
        Benchmark("sign.request") {
            keep(
                RequestSignature.signedQuery(
                    method: "POST", path: Sample.path, body: small, timestamp: Sample.now,
                    credentials: Sample.credentials))
        },
        Benchmark("verify.request") {
            unwrap { () throws(RequestSignature.Refusal) in
                keep(
                    try RequestSignature.verify(
                        method: "POST", path: Sample.path, query: query, now: Sample.now,
                        credentials: Sample.credentials))
            }
        },
        Benchmark("verify.body-64B") { verify(small, digest) },
        Benchmark("verify.body-10KB", repetitions: 100) { verify(large, largeDigest) },
        Benchmark("verify.private-channel") { admit(channel) },
        Benchmark("verify.presence-channel") { admit(presence) },
    ]
}

private func verify(_ body: [UInt8], _ digest: String) {
    body.withUnsafeBytes { bytes in
        unwrap { () throws(RequestSignature.Refusal) in try RequestSignature.verify(body: bytes, digest: digest) }
    }
}

private func subscribeRequest(_ channel: ChannelName, data: String?) -> SubscribeRequest {
    SubscribeRequest(
        channel: channel.text,
        auth: ChannelSignature.auth(
            socketID: Sample.socketID.description, channel: channel.text, channelData: data,
            credentials: Sample.credentials),
        channelData: data)
}

private func admit(_ request: SubscribeRequest) {
    unwrap { () throws(SubscriptionRefusal) in
        keep(
            try SubscriptionPolicy.admit(
                request, socketID: Sample.socketID, user: nil, application: Sample.application))
    }
}
