import Dispatch
import Glibc
import ServiceLifecycle

/// Greets the operator, and sees to it that the process ends: ten seconds after it was asked to, or at once when it is
/// asked again.
///
/// Both are a service's business because the group listens to signals before it runs its services: whoever has read the
/// greeting may send one.
struct Doorman: Service {
    let greeting: Greeting

    private static let limit = DispatchTimeInterval.seconds(10)

    func run() async throws {
        StandardOutput.write(self.greeting.text)
        // Thrown when the group is cancelled because another service failed: that is an end, too.
        try? await gracefulShutdown()
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
        queue.asyncAfter(deadline: .now() + Self.limit) { Self.leave("not done after 10 seconds; leaving") }
    }

    private static func leave(_ reason: String) -> Never {
        StandardError.write("switchboard: \(reason)\n")
        _exit(EX_TEMPFAIL)
    }
}
