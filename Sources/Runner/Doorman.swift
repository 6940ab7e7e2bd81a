import Dispatch
import Glibc
import ServiceLifecycle

/// Greets the operator, says when the server goes, and sees to it that the process ends: ten seconds after the time for
/// sending clients away, or at once when it is asked again.
///
/// Both are a service's business because the group listens to signals before it runs its services: whoever has read the
/// greeting may send one.
struct Doorman: Service {
    let greeting: Greeting
    let health: Health
    let drain: Duration

    /// What requests, the outbox, slow clients and webhooks may take besides.
    private static let slack = 10

    func run() async throws {
        StandardOutput.write(self.greeting.text)
        // Thrown when the group is cancelled because another service failed: that is an end, too.
        try? await gracefulShutdown()
        self.health.drain()
        // On a queue of its own: what hangs may hang every thread of the concurrency pool.
        let queue = DispatchQueue(label: "doorman")
        for number in [SIGTERM, SIGINT] {
            let source = DispatchSource.makeSignalSource(signal: number, queue: queue)
            source.setEventHandler {
                // The handler holds its own source, so that it lives as long as the process does.
                _ = source
                Self.leave("asked again; leaving at once")
            }
            source.activate()
        }
        let limit = Int(self.drain.components.seconds) + Self.slack
        queue.asyncAfter(deadline: .now() + .seconds(limit)) { Self.leave("not done after \(limit) seconds; leaving") }
    }

    private static func leave(_ reason: String) -> Never {
        StandardError.write("switchboard: \(reason)\n")
        _exit(EX_TEMPFAIL)
    }
}
