import Broker
import BrokerCore
import Foundation
import PusherProtocol
import Testing

@Suite("HTTP API: queries")
struct HTTPQueryTests {
    @Test("P141–P145, P147: what is answered about channels and their users")
    func occupied() async throws {
        try await TestBroker.run { broker in
            let (ada, tab, bob) = (try await broker.client(), try await broker.client(), try await broker.client())
            try await ada.subscribe("orders")
            for (client, user) in [(ada, "7"), (tab, "7"), (bob, #""b\"o""#)] {
                try await client.subscribe("presence-ops", channelData: #"{"user_id":\#(user)}"#)
            }
            let http = try await broker.raw()
            for (path, query, body) in [
                ("channels", "", #"{"channels":{"orders":{},"presence-ops":{}}}"#),
                (
                    "channels", "filter_by_prefix=presence-&info=user_count",
                    #"{"channels":{"presence-ops":{"user_count":2}}}"#
                ),
                (
                    "channels", "info=subscription_count",
                    #"{"channels":{"orders":{"subscription_count":1},"presence-ops":{"subscription_count":3}}}"#
                ),
                ("channels", "filter_by_prefix=or", #"{"channels":{"orders":{}}}"#),
                ("channels", "filter_by_prefix=%00%20%C3%A9%22&info=", #"{"channels":{}}"#),
                ("channels", "filter_by_prefix=presence-lab&info[]=user_count", #"{"channels":{}}"#),
                ("channels/nobody", "", #"{"occupied":false}"#),
                ("channels/nobody", "info=subscription_count", #"{"occupied":false,"subscription_count":0}"#),
                ("channels/orders", "info=subscription_count", #"{"occupied":true,"subscription_count":1}"#),
                (
                    "channels/presence-ops", "info=user_count%2Csubscription_count",
                    #"{"occupied":true,"user_count":2,"subscription_count":3}"#
                ),
                ("channels/presence%2Dops", "info=user_count", #"{"occupied":true,"user_count":2}"#),
                ("channels/presence-ops/users", "", #"{"users":[{"id":"7"},{"id":"b\"o"}]}"#),
                ("channels/presence-lab/users", "", #"{"users":[]}"#),
                ("channels/presence-ops/stats", "", #"{"occupied":true,"user_count":2,"connection_count":3}"#),
                ("channels/orders/stats", "", #"{"occupied":true,"connection_count":1}"#),
                ("channels/nobody/stats", "", #"{"occupied":false,"connection_count":0}"#),
            ] {
                let answer = try await http.get(path, query)
                // Channels are listed in no order.
                #expect(answer.status == 200 && self.json(answer.body) == self.json(body), "\(path)?\(query)")
                #expect(answer.fields["content-type"] == "application/json")
            }
        }
    }

    private func json(_ text: String) -> NSDictionary? {
        // nil for what is no JSON, which is no expectation's.
        (try? JSONSerialization.jsonObject(with: Data(text.utf8))) as? NSDictionary
    }

    @Test("P141, RFC 9112 9.3.2: a list of thousands of channels is whole, and what was sent behind its request waits")
    func manyChannels() async throws {
        try await TestBroker.run { broker in
            let names = (0..<3000).map { "channel-\($0)" }
            for start in stride(from: 0, to: names.count, by: 1000) {
                try await broker.client().subscribe(toAll: Array(names[start..<(start + 1000)]))
            }
            let http = try await broker.raw()
            let path = "/apps/\(TestBroker.credentials.id)/channels"
            try await http.send(
                signedRequest("GET", path) + signedRequest("GET", path + "/nobody")
                    + signedRequest("GET", path, query: "filter_by_prefix=channel-29"))
            let whole = try await http.answer()
            let list = try #require(self.json(whole.body)?["channels"] as? [String: [String: Int]])
            #expect(Set(list.keys) == Set(names))
            #expect(try await http.answer().body == #"{"occupied":false}"#)
            let some = try #require(self.json(try await http.answer().body)?["channels"] as? [String: [String: Int]])
            #expect(Set(some.keys) == Set(names.filter { $0.hasPrefix("channel-29") }))
        }
    }

    @Test("A client that goes away while its list is being made does no harm")
    func impatient() async throws {
        try await TestBroker.run { broker in
            try await broker.client().subscribe(toAll: (0..<1000).map { "channel-\($0)" })
            for _ in 0..<5 {
                let http = try await broker.raw()
                try await http.send(signedRequest("GET", "/apps/\(TestBroker.credentials.id)/channels"))
                http.cut()
            }
            #expect(try await broker.raw().get("channels/channel-1").body == #"{"occupied":true}"#)
        }
    }

    private static let extraneous = "The following query string parameters are extraneous: "
    private static let presenceOnly = "user_count is only available for presence channels"

    @Test(
        "P143, P145, P147, 8.2: what cannot be asked is 400, and the answer says what it was",
        arguments: [
            ("channels", "info=user_count", presenceOnly + ": use filter_by_prefix=presence-"),
            (
                "channels", "info=user_count&filter_by_prefix=presence",
                presenceOnly + ": use filter_by_prefix=presence-"
            ),
            ("channels", "info=cache", #"The attribute "cache" cannot be asked for by info here"#),
            ("channels/orders", "info=user_count", presenceOnly),
            ("channels/orders", "info=cache", "cache is only available for cache channels"),
            ("channels/a", "info=subscription_count,x%0A", #"The attribute "x\n" cannot be asked for by info here"#),
            ("channels/orders/users", "", "Users can only be listed for presence channels"),
            ("channels/presence-ops/users", "info=user_count", extraneous + "info"),
            ("channels/orders/stats", "info=user_count", extraneous + "info"),
            ("channels", "z=1&info=&b=2&B=3", extraneous + "b, z"),
            ("channels/orders", "filter_by_prefix=o", extraneous + "filter_by_prefix"),
            ("channels/a%2Fb", "", "Invalid channel name"), ("channels/", "", "Invalid channel name"),
            ("channels/%23server", "", "Invalid channel name"), ("channels/a%ff", "", "Invalid channel name"),
            ("channels//users", "", "Invalid channel name"), ("channels/a%20b/stats", "", "Invalid channel name"),
        ])
    func refused(path: String, query: String, text: String) async throws {
        try await TestBroker.run { broker in
            let answer = try await broker.raw().get(path, query)
            #expect(answer.status == 400 && answer.body == text + "\n")
            #expect(answer.fields["content-type"] == "text/plain; charset=utf-8")
        }
    }

    @Test("P141: users' own channels are never listed")
    func userChannels() async throws {
        try await TestBroker.run { broker in
            let client = try await broker.client()
            try await client.signIn(#"{"id":"u-17"}"#)
            let http = try await broker.raw()
            #expect(try await http.get("channels").body == #"{"channels":{}}"#)
            #expect(try await http.get("channels", "filter_by_prefix=%23").body == #"{"channels":{}}"#)
        }
    }

    @Test("P146: the cached event of a channel is told with its data and how long it stays")
    func cache() async throws {
        let application = TestBroker.application { _, _, limits in limits.cacheSeconds = 600 }
        try await TestBroker.run(application: application) { broker in
            let http = try await broker.raw()
            #expect(try await http.get("channels/cache-a", "info=cache").body == #"{"occupied":false,"cache":null}"#)
            try await broker.trigger(#"{"name":"n","channel":"cache-a","data":"{\"id\":\u0034\"}"}"#)
            let answer = try await http.get("channels/cache-a", "info=cache,subscription_count")
            let start = #"{"occupied":false,"subscription_count":0,"cache":{"data":"{\"id\":\u0034\"}","ttl":"#
            #expect(answer.status == 200 && answer.body.hasPrefix(start))
            let ttl = try #require(Int(answer.body.dropFirst(start.count).dropLast(2)))
            #expect((500...600).contains(ttl))
            #expect(try await http.get("channels/cache-b", "info=cache").body == #"{"occupied":false,"cache":null}"#)
            #expect(try await http.get("channels/cache-a").body == #"{"occupied":false}"#)
        }
    }

    @Test("8.1: a HEAD is the GET without its body")
    func head() async throws {
        try await TestBroker.run { broker in
            let http = try await broker.raw()
            for path in ["channels", "channels/orders", "channels/presence-ops/users", "channels/orders/stats"] {
                let answer = try await http.call("HEAD", "/apps/4711/\(path)")
                let get = try await http.get(path)
                #expect(answer.status == 200 && answer.fields["content-length"] == "\(get.body.utf8.count)")
                #expect(answer.fields["content-type"] == "application/json" && get.status == 200)
            }
            #expect(try await http.call("HEAD", "/apps/4711/channels", query: "info=cache").status == 400)
        }
    }

    @Test(
        "P149: a wrong method on a known path is 405 and names the right ones; an unknown path is 404",
        arguments: [
            ("GET", "events", "POST"), ("PUT", "events", "POST"), ("HEAD", "events", "POST"),
            ("DELETE", "batch_events", "POST"), ("GET", "users/u/terminate_connections", "POST"),
            ("GET", "channels/c/events", "POST"), ("POST", "channels", "GET, HEAD"),
            ("POST", "channels/c", "GET, HEAD"),
            ("DELETE", "channels/c/users", "GET, HEAD"), ("OPTIONS", "channels/c/stats", "GET, HEAD"),
            ("GET", "", nil), ("GET", "channel", nil), ("GET", "channels/c/users/", nil), ("GET", "channels/c/x", nil),
            ("GET", "users", nil), ("POST", "users/u", nil), ("POST", "users/u/x", nil), ("POST", "x/u/users", nil),
            ("POST", "events/", nil), ("GET", "/channels", nil),
        ] as [(String, String, String?)])
    func methods(method: String, path: String, allowed: String?) async throws {
        try await TestBroker.run { broker in
            let answer = try await broker.raw().call(method, "/apps/4711/\(path)")
            #expect(answer.status == (allowed == nil ? 404 : 405))
            #expect(answer.fields["allow"] == allowed)
        }
    }
}
