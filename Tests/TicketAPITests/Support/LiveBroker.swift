import Broker
import BrokerCore
import Logging
import PusherPublisher
import ServiceLifecycle
import TicketAPI

/// A real broker, and a ticket API that publishes to it.
struct LiveBroker: Sendable {
    let port: Int

    static func run(_ body: @escaping @Sendable (TicketHarness, LiveBroker) async throws -> Void) async throws {
        var features = Application.Features()
        features.clientEvents = true
        let secrecy = Secrecy()
        let broker = try await Broker.bind(
            BrokerConfiguration(
                host: "127.0.0.1", port: 0, eventLoops: 4,
                applications: [Application(credentials: RecordingBroker.credentials, features: features)]),
            logger: secrecy.logger)
        let services = ServiceGroup(configuration: .init(services: [broker], logger: secrecy.logger))
        let running = Task { try await services.run() }
        let result: Result<Void, any Error>
        do {
            try await TicketHarness.run(secrecy: secrecy, configure: { $0.publishTarget.port = broker.port }) { api in
                try await body(api, LiveBroker(port: broker.port))
            }
            result = .success(())
        } catch {
            result = .failure(error)
        }
        await services.triggerGracefulShutdown()
        try await running.value
        try result.get()
    }

    func socket() async throws -> LiveSocket { try await LiveSocket.connect(port: self.port) }
}
