internal import Hummingbird
internal import PusherPublisher

/// Tells a load balancer whether this server can do its work.
struct HealthEndpoint: Sendable {
    let store: TicketStore

    /// 200 when the store answers, whether or not the broker does; 503 otherwise.
    func up(_ call: Call) async throws -> Response {
        do {
            _ = try await self.store.read { try $0.firstAdmin() }
            return .json(.ok, ["status": "up"])
        } catch {
            return .json(.serviceUnavailable, ["message": "Service Unavailable"])
        }
    }
}
