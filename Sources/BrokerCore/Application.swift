package import PusherProtocol

/// One app's settings.
package struct Application: Sendable {
    package let credentials: AppCredentials
    /// A disabled app's clients are refused with 4003 (P11), its publishers with 403.
    package var isEnabled: Bool
    /// Whether client events are relayed (4.2 of the protocol facts).
    package var allowsClientEvents: Bool
    /// How many client events one connection may send in a second before they are refused with 4301 (P90);
    /// nil for any number.
    package var clientEventsPerSecond: Int?
    /// How many connections the app may have at once before more are refused with 4004 (P12); nil for any number.
    package var maxConnections: Int?
    /// The hosts an `Origin` may name; nil for all. A request without `Origin` is not a browser's and passes.
    package var allowedOrigins: Set<String>?

    package init(
        credentials: AppCredentials, isEnabled: Bool = true, allowsClientEvents: Bool = true,
        clientEventsPerSecond: Int? = 10, maxConnections: Int? = nil, allowedOrigins: Set<String>? = nil
    ) {
        self.credentials = credentials
        self.isEnabled = isEnabled
        self.allowsClientEvents = allowsClientEvents
        self.clientEventsPerSecond = clientEventsPerSecond
        self.maxConnections = maxConnections
        self.allowedOrigins = allowedOrigins
    }
}
