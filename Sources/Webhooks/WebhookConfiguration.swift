/// The times and the bounds of webhooks; the defaults are those of the hosted service where it has any (9.3 of the
/// protocol facts).
package struct WebhookConfiguration: Sendable {
    /// How long channel_vacated and member_removed wait for a return.
    package var holdBack = Duration.seconds(3)
    /// How many of them may wait in an app; beyond, the oldest are told early.
    package var maxHeldBack = 10_000
    /// How long a batch waits to be filled, and how many events fill it.
    package var batchDelay = Duration.milliseconds(250)
    package var batchSize = 20
    /// How long an endpoint has for a 2xx, looking up its host name and connecting included.
    package var answerTime = Duration.seconds(4)
    /// Finds the addresses of endpoints' host names, and how often at the same time.
    package var lookUp: HostLookup = SystemLookup.addresses
    package var maxLookups = 64
    /// The pause after the first failure; it doubles with each up to the longest.
    package var firstPause = Duration.seconds(1)
    package var longestPause = Duration.seconds(60)
    /// How long after its creation a request is still tried.
    package var retryTime = Duration.seconds(300)
    /// How long the last requests have at shutdown, all endpoints at the same time: of the process's ten seconds the
    /// ticket API and the broker, which are shut down before, need their shares.
    package var shutdownTime = Duration.seconds(1)
    /// Events that wait for an endpoint, in number and bytes.
    package var maxEvents = 10_000
    package var maxBytes = 32 << 20
    /// Bytes of an app's events that were put and that nobody has looked at yet.
    package var maxInboxBytes = 32 << 20
    /// How often a loss that goes on is logged.
    package var logInterval = Duration.seconds(10)
    /// Dead letters that are kept, in number and bytes.
    package var maxDeadLetters = 1000
    package var maxDeadLetterBytes = 64 << 20

    package init() {}
}
