import PusherProtocol

// The body of a trigger or of a batch. An input that begins with a question mark has a query before its first line end.

private let limits = Limits()
private let channel = ChannelName("orders", limit: 164)!

private func check(_ request: TriggerRequest) {
    require(
        !request.channels.isEmpty && request.channels.count <= limits.channelsPerTrigger, "channels keep their limit")
    require(Set(request.channels).count == request.channels.count, "channels are distinct")
    request.name.withUnsafeBytes { bytes in
        guard let name = try? JSONReader.value(of: bytes).string else { fatalError("a name is a JSON string") }
        require(!name.isEmpty && name.unicodeScalars.count <= limits.eventName, "a name keeps its limit")
        require(
            !name.utf8.starts(with: "pusher:".utf8) && !name.utf8.starts(with: "pusher_internal:".utf8),
            "no reserved name passes")
    }
    request.data.withUnsafeBytes { bytes in
        guard let data = try? JSONReader.value(of: bytes).string else { fatalError("data is a JSON string") }
        require(data.utf8.count <= limits.eventData, "data keeps its limit")
    }
    for channel in request.channels {
        require(ChannelName(channel.text, limit: limits.channelName) != nil, "a channel has a channel's name")
        let frame = ServerFrame.event(name: request.name, channel: channel, data: request.data)
        require(FoundationJSON.accepts(String(decoding: frame, as: UTF8.self)), "a published event is JSON")
    }
}

private func check(_ rejection: RequestRejection) {
    require(rejection.status == 400 || rejection.status == 413, "a rejection is the publisher's fault")
}

@_cdecl("LLVMFuzzerTestOneInput")
public func testOneInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let input = input(start, count)
    let hasQuery = input.first == UInt8(ascii: "?")
    let head = hasQuery ? input.prefix { $0 != UInt8(ascii: "\n") } : []
    let body = hasQuery ? Array(input.dropFirst(head.count + 1)) : input
    guard String(validating: body, as: UTF8.self) != nil,
        let text = String(validating: head.dropFirst(), as: UTF8.self), let query = QueryParameters(text)
    else { return 0 }
    body.withUnsafeBytes { bytes in
        do throws(RequestRejection) {
            check(try TriggerRequest(decoding: bytes, query: query, limits: limits))
        } catch {
            check(error)
        }
        do throws(RequestRejection) {
            let request = try TriggerRequest(decoding: bytes, to: channel, query: query, limits: limits)
            check(request)
            request.data.withUnsafeBytes { data in
                require(
                    (try? JSONReader.value(of: data).string)?.utf8.elementsEqual(bytes) == true,
                    "raw data says the same as a JSON string")
            }
        } catch {
            check(error)
        }
        do throws(RequestRejection) {
            let batch = try TriggerRequest.batch(decoding: bytes, limits: limits)
            require(batch.count <= limits.eventsPerBatch, "a batch keeps its limit")
            for request in batch {
                check(request)
                require(request.channels.count == 1, "an event of a batch has one channel")
            }
        } catch {
            check(error)
        }
    }
    return 0
}
