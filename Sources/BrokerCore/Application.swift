package import PusherProtocol

/// One app and its settings. A reload replaces the whole object; who holds one sees one state of the settings.
package final class Application: Sendable {
    package let credentials: AppCredentials
    /// A disabled app's clients are refused with 4003 (P11), its publishers with 403.
    package let isEnabled: Bool
    /// Whether clients must come by TLS; others are refused with 4000 (P13).
    package let requiresTLS: Bool
    /// The hosts an `Origin` may name; nil for all. A request without `Origin` is not a browser's and passes.
    package let allowedOrigins: Set<String>?
    package let features: Features
    package let rates: Rates
    package let limits: Limits
    /// The kinds of webhook events that somebody is told of; others are not made.
    package let webhookEvents: Set<WebhookEvent.Kind>

    package struct Features: Sendable {
        /// Whether client events are relayed (4.2 of the protocol facts).
        package var clientEvents = true
        /// Whether a signed-in user's watchlist is looked after (5.4).
        package var watchlist = false
        /// Whether subscribers are told how many they are (6.2).
        package var subscriptionCounts = false
        /// Seconds within which a client has to sign in or to join a private or presence channel, or be closed with
        /// 4009 (5.6); nil for as long as it likes.
        package var authorizationTimeout: Int?

        package init() {}
    }

    package struct Rates: Sendable {
        /// Connections at once before more are refused with 4004 (P12); nil for any number.
        package var connections: Int?
        /// Events that the app may publish over HTTP in a second before it is answered 429; nil for any number.
        package var publishesPerSecond: Int?
        /// Client events of all connections in a second before they are refused with 4301; nil for any number.
        package var clientEventsPerSecond: Int?
        /// Client events of one connection in a second before they are refused with 4301 (P90); nil for any number.
        package var clientEventsPerConnection: Int? = 10

        package init() {}
    }

    package init(
        credentials: AppCredentials, isEnabled: Bool = true, requiresTLS: Bool = false,
        allowedOrigins: Set<String>? = nil, features: Features = Features(), rates: Rates = Rates(),
        limits: Limits = Limits(), webhookEvents: Set<WebhookEvent.Kind> = []
    ) {
        self.credentials = credentials
        self.isEnabled = isEnabled
        self.requiresTLS = requiresTLS
        self.allowedOrigins = allowedOrigins
        self.features = features
        self.rates = rates
        self.limits = limits
        self.webhookEvents = webhookEvents
    }
}
