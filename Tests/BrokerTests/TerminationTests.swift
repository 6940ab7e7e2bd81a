import Broker
import BrokerCore
import PusherProtocol
import Testing

@Suite("Terminations of connections and subscriptions")
struct TerminationTests {
    private static let path = "/apps/4711/terminate_connections"

    private static func body(_ clients: [PusherTestClient], more: [String] = [], rest: String = "") async -> String {
        var ids = more
        for client in clients { ids.append(await client.socketID) }
        return #"{"socket_ids":["\#(ids.joined(separator: #"",""#))"]\#(rest)}"#
    }

    @Test("API-46, API-47: the named connections are closed on every loop, and no others; with 4200 to come back")
    func connections() async throws {
        let other = AppCredentials(id: "4712", key: "other-key", secret: AppSecret("other"))
        try await TestBroker.run(others: [Application(credentials: other)], loops: 4) { broker in
            var clients: [PusherTestClient] = []
            for _ in 0..<12 { clients.append(try await broker.client()) }
            let stranger = try await broker.client(key: other.key)
            let http = try await broker.raw()
            let gone = ["1.2", "1.99999999999999999999"]
            var body = await Self.body(Array(clients[..<6]) + [stranger], more: gone)
            let answer = try await http.call("POST", Self.path, body: body)
            #expect(answer.status == 200 && answer.body == "{}")
            for client in clients[..<6] { #expect(try await client.closeCode() == 4009) }
            body = await Self.body(Array(clients[6..<10]), rest: #","reconnect":true"#)
            #expect(try await http.call("POST", Self.path, body: body).status == 200)
            for client in clients[6..<10] { #expect(try await client.closeCode() == 4200) }
            // Those that have gone may be named again.
            #expect(try await http.call("POST", Self.path, body: body).status == 200)
            for client in clients[10...] + [stranger] { try await client.expectNothingMore() }
        }
    }

    @Test(
        "API-48: a body that does not name connections is 400, and closes nobody",
        arguments: [
            "", "[]", "{}", #"{"socket_ids":"1.2"}"#, #"{"socket_ids":[12]}"#, #"{"socket_ids":["x"]}"#,
            #"{"socket_ids":["1.2"],"reconnect":1}"#,
            #"{"socket_ids":[\#(Array(repeating: #""1.2""#, count: 1001).joined(separator: ","))]}"#,
        ])
    func malformed(_ body: String) async throws {
        try await TestBroker.run { broker in
            let http = try await broker.raw()
            #expect(try await http.call("POST", Self.path, body: body).status == 400)
            let full = #"{"socket_ids":[\#(Array(repeating: #""1.2""#, count: 1000).joined(separator: ","))]}"#
            #expect(try await http.call("POST", Self.path, body: full).status == 200)
            #expect(try await http.call("POST", Self.path, body: #"{"socket_ids":[],"reconnect":null}"#).status == 200)
            #expect(try await http.call("GET", Self.path).status == 405)
        }
    }

    @Test("API-46: what is published after the answer reaches none of them, from whichever loop it is published")
    func order() async throws {
        try await TestBroker.run(loops: 4) { broker in
            let terminating = try await broker.raw()
            var publishing: [RawClient] = []
            for _ in 0..<4 { publishing.append(try await broker.raw()) }
            for round in 0..<100 {
                let client = try await broker.client()
                try await client.subscribe("private-room")
                let publisher = publishing[round % publishing.count]
                _ = try await publisher.call(
                    "POST", "/apps/4711/events", body: #"{"name":"before","channel":"private-room","data":""}"#)
                let body = await Self.body([client])
                #expect(try await terminating.call("POST", Self.path, body: body).status == 200)
                _ = try await publisher.call(
                    "POST", "/apps/4711/events", body: #"{"name":"after","channel":"private-room","data":""}"#)
                var events: [String] = []
                while case .text(let text) = try await client.nextFrame() { events.append(try TestEvent(text).event) }
                #expect(events == ["before", "pusher:error"])
                client.raw.cut()
            }
        }
    }

    @Test("API-49: everybody is taken off the channel, is told so, and keeps the connection")
    func subscriptions() async throws {
        let application = TestBroker.application { features, _, _ in features.clientEvents = true }
        try await TestBroker.run(application: application, loops: 4) { broker in
            var clients: [PusherTestClient] = []
            for index in 0..<8 {
                let client = try await broker.client()
                try await client.subscribe("other")
                try await client.subscribe("presence-room", channelData: #"{"user_id":\#(index % 4)}"#)
                clients.append(client)
            }
            let http = try await broker.raw()
            let path = "/apps/4711/channels/presence-room/terminate_subscriptions"
            #expect(try await http.call("POST", path, body: "{}").body == "{}")
            try await broker.trigger(#"{"name":"x","channel":"presence-room","data":""}"#)
            try await broker.trigger(#"{"name":"y","channel":"other","data":""}"#)
            for client in clients {
                var event = try await client.next()
                // Those who came later.
                while event.event == "pusher_internal:member_added" { event = try await client.next() }
                #expect(event.event == "pusher:subscription_error" && event.channel == "presence-room")
                let error = "The app has ended the subscription to presence-room"
                #expect(event.data == #"{"error":"\#(error)","status":410,"type":"AuthError"}"#)
                #expect(try await client.next().event == "y")
            }
            let state = try await http.call("GET", "/apps/4711/channels/presence-room")
            #expect(state.body == #"{"occupied":false}"#)

            // What was signed for the connection does not bring it back; a new connection may come.
            try await clients[0].send(clients[0].subscription("presence-room", channelData: #"{"user_id":0}"#))
            #expect(try await clients[0].next().event == "pusher:error")
            #expect(try await clients[0].next().data?.contains(#""status":410"#) == true)
            let late = try await broker.client()
            let joined = try await late.subscribe("presence-room", channelData: #"{"user_id":9}"#)
            #expect(joined.data == #"{"presence":{"ids":["9"],"hash":{"9":null},"count":1}}"#)
        }
    }

    @Test("API-50: a channel that nobody is in is 200; a user channel and what is no channel are 400")
    func channels() async throws {
        try await TestBroker.run { broker in
            let http = try await broker.raw()
            for (channel, status) in [("room", 200), ("a%20b", 400), ("%23server-to-user-1", 400)] {
                let path = "/apps/4711/channels/\(channel)/terminate_subscriptions"
                #expect(try await http.call("POST", path, body: "{}").status == status)
            }
            #expect(try await http.call("GET", "/apps/4711/channels/room/terminate_subscriptions").status == 405)
        }
    }

    @Test("A connection that was taken off as many channels as it may have is asked to come back")
    func bound() async throws {
        let application = TestBroker.application { _, _, limits in limits.channelsPerConnection = 2 }
        try await TestBroker.run(application: application) { broker in
            let client = try await broker.client()
            let http = try await broker.raw()
            for index in 0..<3 {
                try await client.subscribe("room-\(index)")
                _ = try await http.call("POST", "/apps/4711/channels/room-\(index)/terminate_subscriptions", body: "{}")
                if index < 2 { #expect(try await client.next().event == "pusher:subscription_error") }
            }
            #expect(try await client.closeCode() == 4200)
        }
    }
}
