package import PusherProtocol

/// An app as its webhooks see it: who signs, and who is told.
package struct WebhookApp: Sendable {
    /// The older secret signs (9.1 of the protocol facts).
    package let credentials: AppCredentials
    package let endpoints: [WebhookEndpoint]

    package var id: String { self.credentials.id }

    package init(credentials: AppCredentials, endpoints: [WebhookEndpoint]) {
        self.credentials = credentials
        self.endpoints = endpoints
    }

    /// The kinds of events that decide what the endpoints are told. A kind that is held back brings along its
    /// opposite, which cancels it (9.3 of the protocol facts): who reports events must report all of these.
    package var decisiveKinds: Set<WebhookEvent.Kind> {
        var kinds = self.endpoints.reduce(into: Set()) { $0.formUnion($1.kinds) }
        for (one, other) in [
            (WebhookEvent.Kind.channelOccupied, WebhookEvent.Kind.channelVacated), (.memberAdded, .memberRemoved),
        ] where kinds.contains(one) || kinds.contains(other) {
            kinds.formUnion([one, other])
        }
        return kinds
    }
}
