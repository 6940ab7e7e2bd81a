import BrokerCore
import Foundation
import PusherProtocol
import Testing

@Suite("Users")
struct UserTests {
    private static let ada = #"{"id":"ada","user_info":{"name":"Ada"}}"#

    /// The test app, looking after watchlists.
    private static var watching: Application {
        TestBroker.application { features, _, _ in features.watchlist = true }
    }

    @Test("P96: a signed-in client gets the very user_data back")
    func success() async throws {
        try await TestBroker.run { broker in
            let client = try await broker.client()
            let userData = #"{"user_info": {"name":"Ad\u00e4"},  "id":"u-17"}"#
            let answer = try await client.signIn(userData)
            #expect(answer.event == "pusher:signin_success" && !answer.hasStringData && answer.channel == nil)
            let data = try JSONDecoder().decode([String: String].self, from: Data((answer.data ?? "").utf8))
            #expect(data == ["user_data": userData])
            // Again as the same user.
            #expect(try await client.signIn(userData).event == "pusher:signin_success")
        }
    }

    @Test("P35, P96: sign-in with its data as a JSON string")
    func stringData() async throws {
        try await TestBroker.run { broker in
            let client = try await broker.client()
            let auth = await client.userAuth(Self.ada)
            let data = try JSONSerialization.data(withJSONObject: ["auth": auth, "user_data": Self.ada])
            let message = try JSONSerialization.data(
                withJSONObject: ["event": "pusher:signin", "data": String(decoding: data, as: UTF8.self)])
            try await client.send(String(decoding: message, as: UTF8.self))
            #expect(try await client.next().event == "pusher:signin_success")
        }
    }

    @Test(
        "P98, P99: a wrong signature or user_data without a usable id is an error, and the connection goes on",
        arguments: [
            (#"{"id":"ada"}"#, "0"), (#"{}"#, nil), (#"{"id":""}"#, nil), (#"{"id":17}"#, nil), (#"{"id":"a b"}"#, nil),
            (#"[]"#, nil), ("ada", nil),
        ] as [(String, String?)])
    func refused(userData: String, damage: String?) async throws {
        try await TestBroker.run { broker in
            let client = try await broker.client()
            let answer = try await client.signIn(userData, damage: damage ?? "")
            #expect(answer.event == "pusher:error" && answer.data?.contains(#""code":null"#) == true)
            #expect(try await client.signIn(Self.ada).event == "pusher:signin_success")
        }
    }

    @Test("P98: a sign-in without auth or user_data is an error")
    func incomplete() async throws {
        try await TestBroker.run { broker in
            let client = try await broker.client()
            for data in [#"{}"#, #"{"auth":"a:b"}"#, #"{"user_data":"{}"}"#, "17", #""x""#] {
                try await client.send(#"{"event":"pusher:signin","data":\#(data)}"#)
                #expect(try await client.next().event == "pusher:error")
            }
            try await client.send(#"{"event":"pusher:signin","data":{"auth":"a:b","user_data":"{}"}}"#)
            #expect(try await client.next().data?.contains("Invalid key in sign-in auth data: 'a'") == true)
            try await client.expectNothingMore()
        }
    }

    @Test("P100: signing in as another user is an error, and the first sign-in stays")
    func another() async throws {
        try await TestBroker.run { broker in
            let client = try await broker.client()
            try await client.signIn(Self.ada)
            #expect(try await client.signIn(#"{"id":"bob"}"#).event == "pusher:error")
            try await broker.trigger(##"{"name":"n","channel":"#server-to-user-bob","data":"not for ada"}"##)
            try await broker.trigger(##"{"name":"n","channel":"#server-to-user-ada","data":"for ada"}"##)
            #expect(try await client.next().data == "for ada")
        }
    }

    @Test(
        "P97, P101, P102: a user's events reach each of the user's connections once, and nobody else",
        arguments: [1, 3])
    func userEvents(loops: Int) async throws {
        try await TestBroker.run(loops: loops) { broker in
            var clients: [PusherTestClient] = []
            for _ in 0..<4 {
                let client = try await broker.client()
                try await client.signIn(Self.ada)
                clients.append(client)
            }
            // As pusher-js does; delivery does not depend on it, nor end with it.
            #expect(
                try await clients[0].subscribe("#server-to-user-ada").event == "pusher_internal:subscription_succeeded")
            try await clients[1].subscribe("#server-to-user-ada")
            try await clients[1].send(##"{"event":"pusher:unsubscribe","data":{"channel":"#server-to-user-ada"}}"##)
            try await clients[1].expectNothingMore()
            let stranger = try await broker.client()
            #expect(try await stranger.subscribe("#server-to-user-ada").event == "pusher:error")
            #expect(try await stranger.next().event == "pusher:subscription_error")

            let body = ##"{"name":"ping-me","channels":["#server-to-user-ada","c"],"data":"{\"hello\":1}"}"##
            #expect(try await broker.trigger(body).status == 200)
            try await broker.trigger(##"{"name":"marker","channel":"#server-to-user-ada","data":""}"##)
            for client in clients {
                let event = try await client.next()
                #expect(event.event == "ping-me" && event.channel == "#server-to-user-ada")
                #expect(event.data == #"{"hello":1}"#)
                #expect(try await client.next().event == "marker")
            }
            try await stranger.expectNothingMore()
            // Nobody but the user sees the channel.
            let http = try await broker.raw()
            #expect(try await http.call("GET", "/apps/4711/channels").body == #"{"channels":{}}"#)
        }
    }

    @Test("P127: an excluded connection does not get its user's event either")
    func excluded() async throws {
        try await TestBroker.run { broker in
            let (sender, other) = (try await broker.client(), try await broker.client())
            try await sender.signIn(Self.ada)
            try await other.signIn(Self.ada)
            let socketID = await sender.socketID
            try await broker.trigger(
                ##"{"name":"n","channel":"#server-to-user-ada","data":"1","socket_id":"\##(socketID)"}"##)
            try await broker.trigger(##"{"name":"n","channel":"#server-to-user-ada","data":"2"}"##)
            #expect(try await other.next().data == "1")
            #expect(try await sender.next().data == "2")
        }
    }

    @Test(
        "P81: a signed-in user joins a presence channel without channel_data; P82: channel_data wins; P74: else refused"
    )
    func presence() async throws {
        try await TestBroker.run { broker in
            let client = try await broker.client()
            #expect(try await client.subscribe("presence-a").event == "pusher:error")
            #expect(try await client.next().event == "pusher:subscription_error")
            try await client.signIn(Self.ada)
            #expect(
                try await client.subscribe("presence-a").data
                    == #"{"presence":{"ids":["ada"],"hash":{"ada":{"name":"Ada"}},"count":1}}"#)
            #expect(
                try await client.subscribe("presence-b", channelData: #"{"user_id":"bob"}"#).data
                    == #"{"presence":{"ids":["bob"],"hash":{"bob":null},"count":1}}"#)
        }
    }

    @Test(
        "P103, P104: termination closes all connections signed in as the user with 4009, on every loop, and no others")
    func termination() async throws {
        try await TestBroker.run(loops: 3) { broker in
            var signedIn: [PusherTestClient] = []
            for _ in 0..<6 {
                let client = try await broker.client()
                try await client.signIn(Self.ada)
                signedIn.append(client)
            }
            let member = try await broker.client()
            try await member.subscribe("presence-ops", channelData: #"{"user_id":"ada"}"#)
            let other = try await broker.client()
            try await other.signIn(#"{"id":"bob"}"#)
            // What was published before still arrives.
            try await broker.trigger(##"{"name":"last","channel":"#server-to-user-ada","data":""}"##)
            #expect(try await broker.trigger("{}", path: "/apps/4711/users/ada/terminate_connections").body == "{}")
            for client in signedIn {
                #expect(try await client.next().event == "last")
                let error = try await client.next()
                #expect(error.event == "pusher:error" && error.data?.contains("4009") == true)
                #expect(try await client.closeCode() == 4009)
            }
            try await member.expectNothingMore()
            try await other.expectNothingMore()
            // Who comes afterwards is welcome.
            let again = try await broker.client()
            try await again.signIn(Self.ada)
            try await again.expectNothingMore()
        }
    }

    @Test(
        "P106, P107: watched users' state first, then one online and one offline each, across loops", arguments: [1, 3])
    func watchlist(loops: Int) async throws {
        try await TestBroker.run(application: Self.watching, loops: loops) { broker in
            let eve = try await broker.client()
            try await eve.signIn(#"{"id":"eve"}"#)
            let watcher = try await broker.client()
            try await watcher.signIn(#"{"id":"ada","watchlist":["bob","eve","bob"]}"#)
            let state = try await watcher.next()
            #expect(state.event == "pusher_internal:watchlist_events" && state.channel == nil && state.hasStringData)
            #expect(
                state.data
                    == #"{"events":[{"name":"online","user_ids":["eve"]},{"name":"offline","user_ids":["bob"]}]}"#)

            let (first, second) = (try await broker.client(), try await broker.client())
            try await first.signIn(#"{"id":"bob"}"#)
            #expect(try await watcher.next().data == #"{"events":[{"name":"online","user_ids":["bob"]}]}"#)
            try await second.signIn(#"{"id":"bob"}"#)
            try await second.signIn(#"{"id":"bob"}"#)
            first.raw.cut()
            try await eve.raw.send(clientFrame(0x88, [0x03, 0xE8]))
            // Had Bob's second connection or the first one's end been told, it would come before this.
            #expect(try await watcher.next().data == #"{"events":[{"name":"offline","user_ids":["eve"]}]}"#)
            second.raw.cut()
            #expect(try await watcher.next().data == #"{"events":[{"name":"offline","user_ids":["bob"]}]}"#)
            // A new list replaces the old one.
            try await watcher.signIn(#"{"id":"ada","watchlist":["zoe"]}"#)
            #expect(
                try await watcher.next().data == #"{"events":[{"name":"offline","user_ids":["zoe"]}]}"#)
            let bob = try await broker.client()
            try await bob.signIn(#"{"id":"bob"}"#)
            let zoe = try await broker.client()
            try await zoe.signIn(#"{"id":"zoe"}"#)
            #expect(try await watcher.next().data == #"{"events":[{"name":"online","user_ids":["zoe"]}]}"#)
        }
    }

    @Test("P106: an app without the feature sends no watchlist events, and an empty list draws none")
    func noWatchlist() async throws {
        try await TestBroker.run { broker in
            let client = try await broker.client()
            try await client.signIn(#"{"id":"ada","watchlist":["bob"]}"#)
            try await client.expectNothingMore()
        }
        try await TestBroker.run(application: Self.watching) { broker in
            let client = try await broker.client()
            try await client.signIn(#"{"id":"ada","watchlist":[]}"#)
            try await client.expectNothingMore()
        }
    }

    @Test("P108: of 101 watched users 100 are watched, and 4302 follows the success")
    func longWatchlist() async throws {
        try await TestBroker.run(application: Self.watching) { broker in
            let client = try await broker.client()
            let ids = (0...100).map { "\"u\($0)\"" }.joined(separator: ",")
            #expect(try await client.signIn(#"{"id":"ada","watchlist":[\#(ids)]}"#).event == "pusher:signin_success")
            let error = try await client.next()
            #expect(error.event == "pusher:error" && error.data?.contains("4302") == true)
            let state = try await client.next()
            #expect(state.data?.contains(#""u99""#) == true && state.data?.contains(#""u100""#) == false)
            // The watched channels do not count as the client's.
            for number in 0..<20 {
                let answer = try await client.subscribe("c\(number)")
                #expect(answer.event == "pusher_internal:subscription_succeeded")
            }
        }
    }

    @Test("P105: who is not authorized in time is closed with 4009")
    func authorizationTimeout() async throws {
        let application = TestBroker.application { features, _, _ in features.authorizationTimeout = 3 }
        try await TestBroker.run(application: application) { broker in
            let idle = try await broker.client()
            try await idle.subscribe("orders")
            let error = try await idle.next()
            #expect(error.event == "pusher:error" && error.data?.contains("not authorized within timeout") == true)
            #expect(try await idle.closeCode() == 4009)
        }
    }

    @Test("P105: whoever signed in, joined a private channel, or came before the feature was taken away is not closed")
    func authorizedInTime() async throws {
        let application = TestBroker.application { features, _, _ in features.authorizationTimeout = 6 }
        try await TestBroker.run(application: application) { broker in
            let early = try await broker.client()
            await broker.reload([TestBroker.application()])
            await broker.reload([application])
            let (member, user) = (try await broker.client(), try await broker.client())
            try await member.subscribe("private-ops")
            try await user.signIn(Self.ada)
            // Came last, and its time is over: so is that of the others.
            #expect(try await broker.client().closeCode() == 4009)
            for client in [early, member, user] { try await client.expectNothingMore() }
        }
    }
}
