import PusherProtocol
import Testing

@Suite struct ProtocolErrorTests {
    @Test(
        "2.2, 2.5: a code from 4000 to 4299 closes the connection; without a code or above nothing is closed",
        arguments: [
            (.unknownKey("k"), 4001, true), (.applicationDisabled, 4003, true), (.overQuota, 4004, true),
            (.malformedVersion, 4006, true), (.unsupportedVersion, 4007, true), (.originNotAllowed, 4009, true),
            (.slowConsumer, 4100, true), (.shuttingDown, 4200, true), (.pongMissing, 4201, true),
            (.clientEventRate, 4301, false), (.clientEventTooBig(10), 4301, false),
            (.clientEventNameTooLong(10), 4301, false),
            (.notAFrame, nil, false), (.binaryMessage, nil, false), (.unsupportedEvent("x"), nil, false),
            (.channelMissing, nil, false), (.invalidChannelName("x"), nil, false), (.tooManyChannels(1), nil, false),
            (.authMissing("x"), nil, false), (.authMalformed("x"), nil, false), (.authWrongKey("x"), nil, false),
            (.authWrongSignature(stringToSign: "x"), nil, false), (.invalidChannelData("x"), nil, false),
            (.presenceFull(1), nil, false), (.userChannelRefused("x"), nil, false), (.notSubscribed("x"), nil, false),
            (.clientEventsDisabled, nil, false), (.clientEventIncomplete, nil, false),
            (.clientEventNotSubscribed("x"), nil, false), (.clientEventWrongChannel, nil, false),
        ] as [(ProtocolError, UInt16?, Bool)])
    func fatality(_ vector: (error: ProtocolError, code: UInt16?, isFatal: Bool)) {
        #expect(vector.error.code == vector.code)
        #expect(vector.error.isFatal == vector.isFatal)
        #expect(!vector.error.message.isEmpty)
    }

    @Test("2.3: what a client sent is repeated to it in part only", arguments: ["a", "\u{301}", "\u{1F468}\u{200D}"])
    func boundedMessages(_ piece: String) {
        let long = String(repeating: piece, count: 20_000)
        let errors: [ProtocolError] = [
            .unknownKey(long), .unsupportedEvent(long), .invalidChannelName(long), .authWrongKey(long),
            .notSubscribed(long),
            .clientEventNotSubscribed(long),
        ]
        for error in errors { #expect(error.message.utf8.count < 1000) }
    }
}
