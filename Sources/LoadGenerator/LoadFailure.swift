package import PusherClient

/// Why a run could not be made at all.
package enum LoadFailure: Error, Equatable, Sendable {
    case connection(PusherClientFailure)
    case subscription(code: Int?, message: String)
    /// The HTTP API's answer to a signed request.
    case api(status: Int, body: String)
    /// The HTTP API cannot be reached.
    case noAPI(PusherClientFailure)
    /// Asked to stop before there was anything to measure.
    case stopped
}
