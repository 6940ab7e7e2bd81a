import BrokerCore
import PusherProtocol
import Testing

@Suite struct ReloadTests {
    @Test("A reload keeps connections and subscriptions, applies new settings, and closes those of a disabled app")
    func reload() async throws {
        let other = AppCredentials(id: "2", key: "other-key", secret: AppSecret("other-secret"))
        try await TestBroker.run(others: [Application(credentials: other)]) { broker in
            let client = try await broker.client()
            try await client.subscribe("private-ops")
            let stranger = try await broker.client(key: "other-key")

            let silent = TestBroker.application { features, _, _ in features.clientEvents = false }
            await broker.reload([silent, Application(credentials: other, isEnabled: false)])
            #expect(try await stranger.next().data?.contains("4003") == true)
            #expect(try await stranger.closeCode() == 4003)
            try await client.send(#"{"event":"client-a","channel":"private-ops","data":""}"#)
            #expect(try await client.next().event == "pusher:error")
            try await broker.trigger(#"{"name":"n","channel":"private-ops","data":"kept"}"#)
            #expect(try await client.next().data == "kept")

            await broker.reload([Application(credentials: other)])
            #expect(try await client.next().data?.contains("4001") == true)
            #expect(try await client.closeCode() == 4001)
            _ = try await broker.client(key: "other-key")
        }
    }

    @Test("While two secrets are live, both sign publishes and subscriptions")
    func rotation() async throws {
        let next = AppSecret("the next secret")
        let both = AppCredentials(
            id: TestBroker.credentials.id, key: TestBroker.credentials.key, secret: TestBroker.credentials.secret,
            nextSecret: next)
        let new = AppCredentials(id: both.id, key: both.key, secret: next)
        let body = #"{"name":"n","channel":"c","data":""}"#
        try await TestBroker.run(application: Application(credentials: both)) { broker in
            for credentials in [TestBroker.credentials, new] {
                #expect(try await broker.trigger(body, credentials: credentials).status == 200)
                let client = try await broker.client()
                try await client.send(client.subscription("private-ops", credentials: credentials))
                #expect(try await client.next().event == "pusher_internal:subscription_succeeded")
            }
            await broker.reload([Application(credentials: new)])
            #expect(try await broker.trigger(body).status == 401)
            #expect(try await broker.trigger(body, credentials: new).status == 200)
        }
    }
}
