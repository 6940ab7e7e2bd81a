import BrokerCore
import PusherProtocol
import Testing

@Suite("Client events")
struct ClientEventTests {
    @Test(
        "P83–P85, P91, P93: the others get the event, with the sender's user id and nothing forged; the sender does not"
    )
    func presence() async throws {
        try await TestBroker.run { broker in
            let (sender, receiver) = (try await broker.client(), try await broker.client())
            // Two connections of the same user: the other one gets it too.
            try await receiver.subscribe("presence-ops", channelData: #"{"user_id":"ada"}"#)
            try await sender.subscribe("presence-ops", channelData: #"{"user_id":"ada"}"#)
            try await sender.send(
                #"{"event":"client-typing","channel":"presence-ops","data":{"on": true},"user_id":"eve","socket_id":"1.2"}"#
            )
            guard case .text(let text) = try await receiver.nextFrame() else { return }
            #expect(
                text == #"{"event":"client-typing","channel":"presence-ops","data":"{\"on\": true}","user_id":"ada"}"#)
            try await sender.expectNothingMore()
        }
    }

    @Test("P83, P91: on a private channel a string stays that string, and there is no user id")
    func privateChannel() async throws {
        try await TestBroker.run { broker in
            let (sender, receiver) = (try await broker.client(), try await broker.client())
            try await receiver.subscribe("private-ops")
            try await sender.subscribe("private-ops")
            try await sender.send(#"{"event":"client-a","channel":"private-ops","data":"\u00e9\n\"x\""}"#)
            guard case .text(let text) = try await receiver.nextFrame() else { return }
            #expect(text == #"{"event":"client-a","channel":"private-ops","data":"\u00e9\n\"x\""}"#)
            try await sender.expectNothingMore()
        }
    }

    @Test(
        "P37, P86–P88, P92, P95: what may not be sent is an error and reaches nobody",
        arguments: [
            (#"{"event":"client-a","channel":"orders","data":{}}"#, "null"),
            (#"{"event":"client-a","channel":"private-other","data":{}}"#, "null"),
            (#"{"event":"client-a","channel":"a b","data":{}}"#, "null"),
            (#"{"event":"a","channel":"private-ops","data":{}}"#, "null"),
            (#"{"event":"pusher_internal:member_added","channel":"private-ops","data":"{}"}"#, "null"),
            (#"{"event":"client-a","channel":"private-ops"}"#, "null"),
            (#"{"event":"client-a","data":{}}"#, "null"),
            (
                #"{"event":"client-a","channel":"private-ops","data":"\#(String(repeating: "a", count: 10_241))"}"#,
                "4301"
            ),
            (#"{"event":"client-\#(String(repeating: "a", count: 200))","channel":"private-ops","data":1}"#, "4301"),
        ])
    func refused(message: String, code: String) async throws {
        try await TestBroker.run { broker in
            let (sender, receiver) = (try await broker.client(), try await broker.client())
            for client in [sender, receiver] {
                try await client.subscribe("private-ops")
                try await client.subscribe("orders")
            }
            try await sender.send(message)
            let error = try await sender.next()
            #expect(error.event == "pusher:error" && error.data?.contains("\"code\":\(code)") == true)
            try await sender.send(#"{"event":"client-marker","channel":"private-ops","data":""}"#)
            #expect(try await receiver.next().event == "client-marker")
        }
    }

    @Test("P89: an app without client events refuses them")
    func disabled() async throws {
        try await TestBroker.run(
            application: TestBroker.application { features, _, _ in features.clientEvents = false }
        ) { broker in
            let client = try await broker.client()
            try await client.subscribe("private-ops")
            try await client.send(#"{"event":"client-a","channel":"private-ops","data":""}"#)
            #expect(try await client.next().event == "pusher:error")
        }
    }

    @Test("P90: the eleventh event within a second gets 4301 and goes nowhere; the connection stays")
    func rate() async throws {
        try await TestBroker.run { broker in
            let (sender, receiver) = (try await broker.client(), try await broker.client())
            try await sender.subscribe("private-ops")
            try await receiver.subscribe("private-ops")
            // In one packet, so that they do fall into one second.
            let burst = (0..<11).flatMap {
                clientFrame(0x81, Array(#"{"event":"client-a","channel":"private-ops","data":\#($0)}"#.utf8))
            }
            try await sender.raw.send(burst)
            let error = try await sender.next()
            #expect(error.event == "pusher:error" && error.data?.contains("\"code\":4301") == true)
            for index in 0..<10 { #expect(try await receiver.next().data == "\(index)") }
            try await broker.trigger(#"{"name":"n","channels":["private-ops"],"data":"marker"}"#)
            #expect(try await receiver.next().data == "marker")
            #expect(try await sender.next().data == "marker")
        }
    }
}
