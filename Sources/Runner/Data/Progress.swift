import Glibc
import Synchronization
import TicketAPI

/// One line at the terminal that tells how far a slow command has come. Silent for the first second, and where standard
/// error is no terminal.
final class ProgressLine: Sendable {
    private struct State {
        var shown = ""
        var next: ContinuousClock.Instant
    }

    private static let interval = Duration.milliseconds(100)

    private let isTerminal = isatty(STDERR_FILENO) == 1
    private let state = Mutex(State(next: .now + .seconds(1)))

    func report(_ progress: OperationProgress) {
        self.report("\(progress.activity): \(Int(progress.fraction * 100)) %")
    }

    func report(_ text: String) {
        guard self.isTerminal else { return }
        self.state.withLock { state in
            guard state.next <= .now else { return }
            state.next = .now + Self.interval
            self.show(text, &state)
        }
    }

    /// Takes the line away.
    func end() {
        self.state.withLock { self.show("", &$0) }
    }

    private func show(_ text: String, _ state: inout State) {
        guard text != state.shown else { return }
        // To the start of the line, the text, and whatever is behind it erased.
        StandardError.write("\r\(text)\u{1B}[K")
        state.shown = text
    }
}
