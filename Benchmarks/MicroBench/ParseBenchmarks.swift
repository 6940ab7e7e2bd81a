import PusherProtocol
import Wire

/// What clients and publishers say, from bytes to values.
func parseBenchmarks() -> [Benchmark] {
    [
        Benchmark("parse.head-of-upgrade") { parseHead(Sample.upgradeHead) },
        Benchmark("parse.head-of-publish") { parseHead(Sample.publishHead) },
        Benchmark("parse.query-of-publish") { keep(unwrap(QueryParameters(Sample.signedQuery))) },
        webSocket("parse.websocket-64B", Sample.clientFrames(Sample.text(64))),
        webSocket("parse.websocket-10KB", Sample.clientFrames(Sample.text(10_000)), repetitions: 100),
        webSocket("parse.websocket-3-fragments", Sample.clientFrames(Sample.text(300), pieces: 3)),
        clientFrame("parse.client-subscribe", Sample.subscribe),
        clientFrame("parse.client-event", Sample.clientEvent),
        clientFrame("parse.client-event-object", Sample.clientEventWithObject),
        trigger("parse.trigger-64B", Sample.trigger(dataBytes: 64)),
        trigger("parse.trigger-10KB", Sample.trigger(dataBytes: 10_000), repetitions: 100),
        trigger("parse.trigger-100-channels", Sample.triggerOfHundredChannels, repetitions: 100),
        Benchmark("parse.batch-of-10", repetitions: 100) {
            Sample.batch.withUnsafeBytes { bytes in
                unwrap { () throws(RequestRejection) in
                    keep(try TriggerRequest.batch(decoding: bytes, limits: Sample.limits))
                }
            }
        },
        Benchmark("parse.presence-member") {
            unwrap { () throws(ProtocolError) in
                keep(try PresenceMember(channelData: Sample.channelData(7), limits: Sample.limits))
            }
        },
    ]
}

private func parseHead(_ head: [UInt8]) {
    head.withUnsafeBytes { bytes in
        unwrap { () throws(HTTPRequestFailure) in
            keep(unwrap(try HTTPRequestHead.length(in: bytes, searched: 0)))
            keep(try HTTPRequestHead(parsing: bytes))
        }
    }
}

private func webSocket(_ name: String, _ frames: [UInt8], repetitions: Int = 1000) -> Benchmark {
    let scratch = UnsafeMutableRawBufferPointer.allocate(byteCount: 65_536, alignment: 8)
    var decoder = WebSocketDecoder(maxMessageBytes: 65_536, peer: .client)
    return Benchmark(name, repetitions: repetitions) {
        var messages = 0
        frames.withUnsafeBytes { bytes in
            unwrap { () throws(WebSocketViolation) in
                try decoder.decode(bytes, scratch: scratch) { _ in
                    messages += 1
                    return true
                }
            }
        }
        precondition(messages == 1)
    }
}

private func clientFrame(_ name: String, _ message: [UInt8]) -> Benchmark {
    Benchmark(name) {
        message.withUnsafeBytes { bytes in
            unwrap { () throws(ProtocolError) in keep(try ClientFrame(decoding: bytes)) }
        }
    }
}

private func trigger(_ name: String, _ body: [UInt8], repetitions: Int = 1000) -> Benchmark {
    let query = unwrap(QueryParameters(Sample.signedQuery))
    return Benchmark(name, repetitions: repetitions) {
        body.withUnsafeBytes { bytes in
            unwrap { () throws(RequestRejection) in
                keep(try TriggerRequest(decoding: bytes, query: query, limits: Sample.limits))
            }
        }
    }
}
