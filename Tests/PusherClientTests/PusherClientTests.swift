import Broker
import NIOCore
import PusherClient
import PusherProtocol
import Support
import Testing

/// Against the real broker.
@Suite struct PusherClientTests {
    private static let credentials = RunningBroker.credentials

    private func next(_ events: inout PusherClient.Events.AsyncIterator) async throws -> ServerEvent {
        try #require(try await events.next())
    }

    @Test("A client is established and subscribes to channels of all kinds")
    func subscribes() async throws {
        try await RunningBroker.run { broker in
            let client = try await PusherClient.connect(to: broker.endpoint())
            #expect(SocketID.Reference(client.socketID) != nil)
            #expect(client.activityTimeout == 120)
            var events = client.events.makeAsyncIterator()
            for channel in ["orders", "private-orders"] {
                client.subscribe(to: channel, credentials: Self.credentials)
                let answer = try await self.next(&events)
                #expect(answer.name == "pusher_internal:subscription_succeeded")
                #expect(answer.channel == channel)
            }
            client.subscribe(
                to: "presence-room", credentials: Self.credentials, channelData: #"{"user_id":"7","user_info":{}}"#)
            #expect(try await self.next(&events).data == #"{"presence":{"ids":["7"],"hash":{"7":{}},"count":1}}"#)
            client.close()
            #expect(try await events.next() == nil)
        }
    }

    @Test("A client event reaches the others as it was sent")
    func clientEvents() async throws {
        try await RunningBroker.run { broker in
            let clients = [
                try await PusherClient.connect(to: broker.endpoint()),
                try await PusherClient.connect(to: broker.endpoint()),
            ]
            var iterators = clients.map { $0.events.makeAsyncIterator() }
            for index in clients.indices {
                clients[index].subscribe(to: "private-a", credentials: Self.credentials)
                _ = try await self.next(&iterators[index])
            }
            // Long enough for several reads, and for the 16-bit length.
            let text = String(repeating: "é\"", count: 3000)
            clients[0].send(.clientEvent(ClientEvent(name: "client-x", channel: "private-a", text: text)))
            let event = try await self.next(&iterators[1])
            #expect(event.name == "client-x")
            #expect(event.channel == "private-a")
            #expect(event.data == text)
            #expect(event.isDataString)
            for client in clients { client.close() }
        }
    }

    @Test("A wrong signature is an event, and the connection stays")
    func wrongSignature() async throws {
        try await RunningBroker.run { broker in
            let client = try await PusherClient.connect(to: broker.endpoint())
            var events = client.events.makeAsyncIterator()
            let wrong = AppCredentials(id: "4711", key: Self.credentials.key, secret: AppSecret("wrong"))
            client.subscribe(to: "private-a", credentials: wrong)
            let answer = try await self.next(&events)
            #expect(answer.name == "pusher:subscription_error" || answer.failure != nil)
            client.close()
        }
    }

    @Test("An unknown key is refused with its code")
    func unknownKey() async throws {
        try await RunningBroker.run { broker in
            let failure = await #expect(throws: PusherClientFailure.self) {
                try await PusherClient.connect(to: broker.endpoint(key: "no-such-key"))
            }
            guard case .error(code: 4001, let message) = failure else {
                Issue.record("\(String(describing: failure))")
                return
            }
            #expect(message.contains("no-such-key"))
        }
    }

    @Test("A server that goes down is the end of the events, with its code")
    func shutdown() async throws {
        try await RunningBroker.run { broker in
            let client = try await PusherClient.connect(to: broker.endpoint())
            var events = client.events.makeAsyncIterator()
            await broker.shutDown()
            #expect(try await self.next(&events).failure?.code == 4200)
            await #expect(
                throws: PusherClientFailure.closed(code: 4200, reason: "Server is shutting down, please reconnect")
            ) {
                try await self.next(&events)
            }
        }
    }

    @Test("Events wait in the server while nobody takes them, and none is lost")
    func backPressure() async throws {
        try await RunningBroker.run(configure: { $0.maxBacklog = 64 << 20 }) { broker in
            let reader = try await PusherClient.connect(to: broker.endpoint())
            var events = reader.events.makeAsyncIterator()
            reader.subscribe(to: "private-a", credentials: Self.credentials)
            _ = try await self.next(&events)
            // The limit of client events is for each connection.
            for sender in 0..<60 {
                let client = try await PusherClient.connect(to: broker.endpoint())
                var answers = client.events.makeAsyncIterator()
                client.subscribe(to: "private-a", credentials: Self.credentials)
                _ = try await self.next(&answers)
                for number in 0..<10 {
                    client.send(
                        .clientEvent(
                            ClientEvent(name: "client-x", channel: "private-a", text: "\(sender * 10 + number)")))
                }
                client.send(.ping)
                #expect(try await self.next(&answers).name == "pusher:pong")
                client.close()
            }
            for number in 0..<600 { #expect(try await self.next(&events).data == "\(number)") }
            reader.close()
        }
    }

    @Test("Nobody listens: the address is named")
    func refused() async throws {
        let port = try ReservedPort().port
        let endpoint = PusherEndpoint(host: "127.0.0.1", port: port, tls: nil, key: "k", client: "test", version: "1")
        await #expect(throws: PusherClientFailure.unreachable(address: "127.0.0.1:\(port)", errno: 111)) {
            try await PusherClient.connect(to: endpoint)
        }
    }

    @Test("A host that has no address is unknown")
    func unknownHost() async throws {
        let endpoint = PusherEndpoint(
            host: "no-such-host.invalid", port: 1, tls: nil, key: "k", client: "test", version: "1")
        let failure = await #expect(throws: PusherClientFailure.self) { try await PusherClient.connect(to: endpoint) }
        guard case .unknownHost = failure else {
            Issue.record("\(String(describing: failure))")
            return
        }
    }
}
