import PusherProtocol
import Support
import Testing

@testable import Webhooks

@Suite struct WebhookRequestTests {
    @Test(
        "P150, P154, WH-3, WH-6: a request's body and signature are these, byte for byte",
        arguments: try WebhookVectors.load().requests)
    func vector(_ vector: WebhookVectors.Request) throws {
        let app = try WebhookVectors.load().app
        let credentials = AppCredentials(
            id: app.id, key: app.key, secret: AppSecret(app.secret), nextSecret: AppSecret("another"))
        let request = WebhookRequest(
            events: try vector.events.map { try $0.value().json }, credentials: credentials, created: vector.timeMs)
        #expect(request.body == vector.body)
        #expect(request.signature == vector.signature)
        #expect(request.key == app.key)
    }
}
