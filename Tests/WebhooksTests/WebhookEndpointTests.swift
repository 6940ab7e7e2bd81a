import PusherProtocol
import Support
import Testing
import Webhooks

@Suite struct WebhookEndpointTests {
    private func endpoint(_ vector: WebhookVectors.Endpoint) throws(WebhookMistake) -> WebhookEndpoint {
        try WebhookEndpoint(
            url: vector.url, eventTypes: vector.eventTypes, channelPrefix: vector.startsWith,
            channelSuffix: vector.endsWith, headers: (vector.headers ?? []).map { ($0[0], $0[1]) })
    }

    @Test(
        "WH-30: an endpoint is accepted and named without what may be secret",
        arguments: try WebhookVectors.load().acceptedEndpoints)
    func accepted(_ vector: WebhookVectors.Endpoint) throws {
        let endpoint = try self.endpoint(vector)
        #expect(endpoint.name == vector.logName)
        #expect(endpoint.kinds.count == 7)
        #expect(endpoint.headers.map { [$0.name, $0.value] } == vector.headers ?? [])
    }

    @Test("WH-30: an endpoint is refused with what is allowed", arguments: try WebhookVectors.load().refusedEndpoints)
    func refused(_ vector: WebhookVectors.Endpoint) throws {
        let mistake = #expect(throws: WebhookMistake.self) { try self.endpoint(vector) }
        let text = try #require(mistake).description
        #expect(text.contains(try #require(vector.says)))
        #expect(!text.contains("hidden"), "it repeats a value")
    }
}
